using System.Net.Sockets;
using BpfRemote.Agent;
using BpfRemote.Agent.Hosting;
using BpfRemote.Agent.Limits;
using BpfRemote.Client;
using BpfRemote.Libbpf;
using BpfRemote.Simulation;
using BpfRemote.V1;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>An agent in this process, listening on a unix socket of its own, and clients of it.</summary>
public sealed class InProcessAgent : IAsyncDisposable
{
    private readonly WebApplication _agent;
    private readonly GrpcChannel _channel;
    private readonly string _socket;

    private InProcessAgent(WebApplication agent, string socket)
    {
        _agent = agent;
        _socket = socket;
        Client = BpfRemoteClient.Connect(new() { Address = Address, MaxTriesWithoutProgress = 0 });
        SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            },
        };
        _channel = GrpcChannel.ForAddress("http://localhost", new() { HttpHandler = handler, DisposeHttpClient = true });
        Maps = new(_channel);
        Nodes = new(_channel);
    }

    /// <summary>Where it listens, for other clients.</summary>
    public string Address => $"unix://{_socket}";

    /// <summary>The client library; it never tries again, so that nothing an agent does goes unseen.</summary>
    public BpfRemoteClient Client { get; }

    /// <summary>The generated client, for requests that the library does not make.</summary>
    public MapService.MapServiceClient Maps { get; }

    /// <summary>The generated client, for requests that the library does not make.</summary>
    public NodeService.NodeServiceClient Nodes { get; }

    /// <summary>What the agent is made of.</summary>
    public IServiceProvider Services => _agent.Services;

    /// <summary>Starts an agent.</summary>
    /// <param name="source">Whose maps it serves.</param>
    /// <param name="runtimeDirectory">Where its token keys are.</param>
    /// <param name="limits">Its limits; null for the defaults.</param>
    public static async Task<InProcessAgent> StartAsync(IMapSource source, TemporaryDirectory runtimeDirectory, AgentLimits? limits = null)
    {
        string socket = Path.Combine(runtimeDirectory.Path, $"{Guid.NewGuid():N}.sock");
        AgentOptions options = new()
        {
            Listen = [$"unix://{socket}"],
            RuntimeDirectory = runtimeDirectory.Path,
            Simulate = source is SimulatedMapSource,
            // Tests break calls off and begin the next at once, before the agent has heard of the first.
            Limits = limits ?? new() { MaxScansPerPrincipal = 32 },
        };
        Assert.Empty(options.Violations());
        WebApplication agent = AgentHost.Build(options, source, TimeProvider.System);
        await agent.StartAsync(TestContext.Current.CancellationToken);
        return new InProcessAgent(agent, socket);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        _channel.Dispose();

        // Waits for the calls, which disposing alone does not: no map may be open any more when the next test counts them.
        await _agent.StopAsync();
        await _agent.DisposeAsync();
        File.Delete(_socket);
    }
}
