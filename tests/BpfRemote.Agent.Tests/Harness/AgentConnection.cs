using BpfRemote.V1;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Xunit;
using RpcStatus = Google.Rpc.Status;

namespace BpfRemote.Agent.Tests.Harness;

/// <summary>A client of an agent, over a connection of its own.</summary>
internal sealed class AgentConnection : IDisposable
{
    private readonly GrpcChannel _channel;

    /// <param name="address">The agent's address.</param>
    /// <param name="handler">How to get there; goes with this object.</param>
    /// <param name="token">The bearer token of every call; null for none.</param>
    public AgentConnection(Uri address, HttpMessageHandler handler, string? token)
    {
        _channel = GrpcChannel.ForAddress(address, new() { HttpHandler = handler, DisposeHttpClient = true });
        CallInvoker invoker = _channel.Intercept(headers =>
        {
            if (token is not null)
            {
                headers.Add("authorization", $"Bearer {token}");
            }

            return headers;
        });
        Maps = new(invoker);
        Nodes = new(invoker);
    }

    public MapService.MapServiceClient Maps { get; }

    public NodeService.NodeServiceClient Nodes { get; }

    /// <summary>The subject of the certificate that the agent showed last.</summary>
    public string? ServerName { get; set; }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>An error's details.</summary>
    public static RpcStatus Details(RpcException error) => error.GetRpcStatus() ?? throw new InvalidOperationException($"no details: {error}");

    /// <summary>Expects an error with exactly one ErrorInfo and nothing else.</summary>
    /// <returns>Its metadata.</returns>
    public static async Task<IDictionary<string, string>> AssertFailsAsync(StatusCode status, string reason, Func<Task> call)
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(call);
        Assert.True(status == error.StatusCode, $"{error.Status}");
        ErrorInfo info = Assert.Single(Details(error).Details).Unpack<ErrorInfo>();
        Assert.Equal(("bpfremote", reason), (info.Domain, info.Reason));
        return info.Metadata;
    }

    /// <summary>Who the agent takes this client for.</summary>
    public async Task<string> PrincipalAsync() => (await Nodes.GetNodeAsync(new(), cancellationToken: Cancelled)).Node.Principal;

    /// <summary>The names of the maps that the agent shows.</summary>
    public async Task<IReadOnlyList<string>> ListAsync() =>
        [.. (await Maps.ListMapsAsync(new(), cancellationToken: Cancelled)).Maps.Select(map => map.Name)];

    /// <summary>Reads a map, or continues a scan.</summary>
    /// <param name="request">The request.</param>
    /// <param name="received">Is given each response.</param>
    public async Task<List<LookupBatchResponse>> ScanAsync(LookupBatchRequest request, Action<LookupBatchResponse>? received = null)
    {
        List<LookupBatchResponse> responses = [];
        using AsyncServerStreamingCall<LookupBatchResponse> call = Maps.LookupBatch(request, cancellationToken: Cancelled);
        await foreach (LookupBatchResponse response in call.ResponseStream.ReadAllAsync(Cancelled))
        {
            received?.Invoke(response);
            responses.Add(response);
        }

        return responses;
    }

    public void Dispose() => _channel.Dispose();
}
