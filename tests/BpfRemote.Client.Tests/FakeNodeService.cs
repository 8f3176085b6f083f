using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Client.Tests;

/// <summary>Says who it is.</summary>
internal sealed class FakeNodeService : NodeService.NodeServiceBase
{
    public override Task<GetNodeResponse> GetNode(GetNodeRequest request, ServerCallContext context) =>
        Task.FromResult(new GetNodeResponse { Node = new() { Hostname = "node-1", Principal = "anonymous" } });
}
