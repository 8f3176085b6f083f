using BpfRemote.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace BpfRemote.Client.Tests;

/// <summary>Says who it is, and who the caller is: its authorization, else its certificate's thumbprint, else anonymous.</summary>
internal sealed class FakeNodeService : NodeService.NodeServiceBase
{
    public override Task<GetNodeResponse> GetNode(GetNodeRequest request, ServerCallContext context)
    {
        ConnectionInfo connection = context.GetHttpContext().Connection;
        string principal = context.RequestHeaders.GetValue("authorization") ?? connection.ClientCertificate?.Thumbprint ?? "anonymous";
        return Task.FromResult(new GetNodeResponse { Node = new() { Hostname = "node-1", Principal = principal } });
    }
}
