using System.Buffers.Binary;
using System.Net.Sockets;
using BpfRemote.Agent.Limits;
using BpfRemote.Kernel.Tests.Harness;
using BpfRemote.V1;

namespace BpfRemote.Kernel.Tests;

/// <summary>The limits of connections, over a real socket; and that an agent tells what limits it keeps.</summary>
public sealed class ConnectionTests
{
    private const byte Settings = 4;
    private const byte GoAway = 7;

    private static readonly AgentLimits Unusual = new()
    {
        MaxConnections = 17,
        MaxConnectionsPerPrincipal = 2,
        HandshakeTimeout = TimeSpan.FromSeconds(7),
        MaxConnectionAge = TimeSpan.FromSeconds(1),
        MaxStreamsPerConnection = 18,
        MaxConcurrentScans = 19,
        MaxScansPerPrincipal = 3,
        MaxBufferBytes = 77 << 20,
        GentleCpuShare = 0.25,
        WriteTimeout = TimeSpan.FromSeconds(8),
        MaxStreamAge = TimeSpan.FromMinutes(9),
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_principal_has_as_many_connections_as_it_may()
    {
        using TemporaryDirectory directory = new();
        await using InProcessAgent agent = await InProcessAgent.StartAsync(new SimulatedKernel().Source, directory, new() { MaxConnectionsPerPrincipal = 2 });
        using NetworkStream one = await ConnectAsync(agent);
        using NetworkStream two = await ConnectAsync(agent);
        Assert.True(await ReadUntilAsync(one, Settings) && await ReadUntilAsync(two, Settings));

        using NetworkStream three = await ConnectAsync(agent);
        Assert.False(await ReadUntilAsync(three, Settings));

        // The agent hears of the end of a connection in its own time.
        await one.DisposeAsync();
        bool isServed = false;
        while (!isServed)
        {
            using NetworkStream next = await ConnectAsync(agent);
            isServed = await ReadUntilAsync(next, Settings);
        }
    }

    [Fact]
    public async Task A_connection_of_age_is_told_to_go_and_goes()
    {
        using TemporaryDirectory directory = new();
        await using InProcessAgent agent = await InProcessAgent.StartAsync(new SimulatedKernel().Source, directory, Unusual);
        using NetworkStream connection = await ConnectAsync(agent);
        Assert.True(await ReadUntilAsync(connection, GoAway));
        Assert.False(await ReadUntilAsync(connection, Settings));

        Node node = await agent.Client.GetNodeAsync(Cancelled); // over a connection of its own, begun anew where it is due
        Assert.NotEmpty(node.Hostname);
    }

    [Fact]
    public async Task The_node_tells_its_limits()
    {
        using TemporaryDirectory directory = new();
        await using InProcessAgent agent = await InProcessAgent.StartAsync(new SimulatedKernel().Source, directory, Unusual);
        Limits told = (await agent.Client.GetNodeAsync(Cancelled)).Limits;

        Assert.Equal(
            (17u, 2u, 18u, 19u, 3u), (told.MaxConnections, told.MaxConnectionsPerPrincipal, told.MaxStreamsPerConnection, told.MaxConcurrentScans, told.MaxScansPerPrincipal));
        Assert.Equal(
            [7, 1, 8, 540, 30, 20],
            new[] { told.HandshakeTimeout, told.MaxConnectionAge, told.WriteTimeout, told.MaxStreamAge, told.KeepaliveInterval, told.KeepaliveTimeout }.Select(duration => duration.Seconds));
        Assert.Equal((77UL << 20, 0.25), (told.MaxBufferBytes, told.GentleCpuShare));
        Assert.Equal((8_192u, 65_536u), (told.MaxRequestHeaderBytes, told.MaxRequestBytes));
        Assert.Equal((100u, 1_000u), (told.DefaultPageSize, told.MaxPageSize));
        Assert.Null(told.KernelTimePerMinute); // the policy sets none
    }

    /// <summary>Connects and begins as HTTP/2 does, with no settings.</summary>
    private static async Task<NetworkStream> ConnectAsync(InProcessAgent agent)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(agent.Address["unix://".Length..]), Cancelled);
        NetworkStream connection = new(socket, ownsSocket: true);
        try
        {
            await connection.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray(), Cancelled);
        }
        catch (IOException)
        {
            // Closed already: reading finds that out too.
        }

        return connection;
    }

    /// <summary>Reads frames until one of a type comes; false where the agent closes the connection first.</summary>
    private static async Task<bool> ReadUntilAsync(NetworkStream connection, byte type)
    {
        byte[] header = new byte[9];
        try
        {
            while (await connection.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, Cancelled) == header.Length)
            {
                await connection.ReadExactlyAsync(new byte[BinaryPrimitives.ReadInt32BigEndian(header) >>> 8], Cancelled);
                if (header[3] == type)
                {
                    return true;
                }
            }
        }
        catch (IOException)
        {
            // A reset is an end too.
        }

        return false;
    }
}
