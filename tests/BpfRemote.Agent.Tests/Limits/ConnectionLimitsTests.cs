using System.Buffers;
using System.IO.Pipelines;
using BpfRemote.Agent.Access;
using BpfRemote.Agent.Limits;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BpfRemote.Agent.Tests.Limits;

public sealed class ConnectionLimitsTests
{
    private static readonly AgentLimits Limits = new();

    private readonly FakeTimeProvider _time = new();
    private readonly ConnectionLimits _connections;
    private readonly TaskCompletionSource _served = new();

    public ConnectionLimitsTests() =>
        _connections = new(Limits, _ => new() { MaxConnections = 2 }, _time, NullLogger<ConnectionLimits>.Instance);

    [Fact]
    public async Task A_principal_at_its_limit_leaves_connections_to_others()
    {
        Peer[] greedy = [Connect("greedy"), Connect("greedy"), Connect("greedy")];
        Peer other = Connect("other");

        Assert.Equal([true, true, false], greedy.Select(peer => peer.IsServed));
        Assert.True(greedy[2].Handling.IsCompletedSuccessfully);
        Assert.True(other.IsServed);

        _served.SetResult();
        await Task.WhenAll(greedy.Append(other).Select(peer => peer.Handling));
        Assert.True(Connect("greedy").IsServed);
    }

    [Fact]
    public async Task A_connection_that_does_not_begin_ends()
    {
        Peer silent = Connect("silent", begins: false);
        _time.Advance(Limits.HandshakeTimeout);
        await silent.Handling.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(silent.IsServed);
        Assert.True(silent.IsAborted);
    }

    [Fact]
    public async Task What_a_connection_begins_with_is_left_to_the_server()
    {
        Peer peer = Connect("anybody");
        ReadResult read = await peer.Transport.Input.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(Peer.Preface.Length, read.Buffer.Length);
    }

    [Fact]
    public void A_connection_of_age_is_asked_to_close_once_and_within_a_tenth_more()
    {
        Peer peer = Connect("anybody");
        _time.Advance(Limits.MaxConnectionAge - TimeSpan.FromSeconds(1));
        Assert.Equal(0, peer.CloseRequests);
        _time.Advance((Limits.MaxConnectionAge * 0.1) + TimeSpan.FromSeconds(1));
        Assert.Equal(1, peer.CloseRequests);
        _time.Advance(Limits.MaxConnectionAge * 2);
        Assert.Equal(1, peer.CloseRequests);
        Assert.False(peer.IsAborted);
    }

    [Fact]
    public async Task A_connection_that_has_ended_is_not_asked()
    {
        Peer peer = Connect("anybody");
        _served.SetResult();
        await peer.Handling.WaitAsync(TestContext.Current.CancellationToken);
        _time.Advance(Limits.MaxConnectionAge * 2);
        Assert.Equal(0, peer.CloseRequests);
    }

    private Peer Connect(string principal, bool begins = true)
    {
        Peer peer = new(principal);
        peer.Begin(_connections, _served.Task, begins);
        return peer;
    }

    /// <summary>A connection as the server has it.</summary>
    private sealed class Peer : DefaultConnectionContext, IConnectionLifetimeNotificationFeature
    {
        public static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

        private readonly Pipe _input = new(new PipeOptions(useSynchronizationContext: false, readerScheduler: PipeScheduler.Inline));

        public Peer(string principal)
        {
            Transport = new Duplex(_input.Reader, new Pipe().Writer);
            Features.Set(ConnectionIdentity.Of(new Caller(principal, [], "test")));
            Features.Set<IConnectionLifetimeNotificationFeature>(this);
        }

        public Task Handling { get; private set; } = Task.CompletedTask;

        public bool IsServed { get; private set; }

        public bool IsAborted { get; private set; }

        public int CloseRequests { get; private set; }

        public CancellationToken ConnectionClosedRequested { get; set; }

        public void Begin(ConnectionLimits limits, Task served, bool begins)
        {
            if (begins)
            {
                _input.Writer.Write(Preface);
                Assert.True(_input.Writer.FlushAsync().AsTask().IsCompletedSuccessfully);
            }

            Handling = limits.Bound(_ =>
            {
                IsServed = true;
                return served;
            })(this);
        }

        public void RequestClose() => CloseRequests++;

        public override void Abort(ConnectionAbortedException abortReason) => IsAborted = true;

        private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
        {
            public PipeReader Input => input;

            public PipeWriter Output => output;
        }
    }
}
