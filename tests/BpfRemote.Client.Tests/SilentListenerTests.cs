using System.Net;
using System.Net.Sockets;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Client.Tests;

/// <summary>Something that takes connections, as far as the kernel does so by itself, and never says a word.</summary>
public sealed class SilentListenerTests : IDisposable
{
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly ImmediateTimeProvider _time = new();

    public SilentListenerTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    private string HostAndPort => _listener.LocalEndPoint!.ToString()!;

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData("https")]
    [InlineData("http")]
    public async Task Is_an_agent_out_of_reach_once_the_time_to_connect_is_over(string scheme)
    {
        using BpfRemoteClient client = Connect(scheme);

        AgentUnreachableException error = await Assert.ThrowsAsync<AgentUnreachableException>(
            () => client.GetNodeAsync(TestContext.Current.CancellationToken));

        Assert.Equal(
            $"Cannot reach the agent at {scheme}://{HostAndPort}: no connection was made within 0.1 s. Is bpfremote-agent running and listening there?",
            error.Message);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    [Theory]
    [InlineData("https")]
    [InlineData("http")]
    public async Task Is_tried_again_by_a_scan(string scheme)
    {
        using BpfRemoteClient client = Connect(scheme);

        await Assert.ThrowsAsync<AgentUnreachableException>(() => client.Scan(MapSelectors.ById(7)).ReadAsync(new(0)));

        Assert.Equal(2, _time.Waits.Length);
    }

    [Fact]
    public async Task That_hangs_up_is_an_agent_out_of_reach_too()
    {
        using BpfRemoteClient client = Connect("http");
        Task<Node> call = client.GetNodeAsync(TestContext.Current.CancellationToken);
        (await _listener.AcceptAsync(TestContext.Current.CancellationToken)).Dispose();

        Assert.StartsWith(
            $"Cannot reach the agent at http://{HostAndPort}: ",
            (await Assert.ThrowsAsync<AgentUnreachableException>(() => call)).Message,
            StringComparison.Ordinal);
    }

    private BpfRemoteClient Connect(string scheme) => BpfRemoteClient.Connect(new()
    {
        Address = $"{scheme}://{HostAndPort}",
        Plaintext = scheme == "http",
        ConnectTimeout = TimeSpan.FromMilliseconds(100),
        MaxTriesWithoutProgress = 2,
        TimeProvider = _time,
    });
}
