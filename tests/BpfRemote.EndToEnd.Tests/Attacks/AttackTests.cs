using System.Globalization;
using BpfRemote.Client;
using BpfRemote.EndToEnd.Maps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.EndToEnd.Attacks;

/// <summary>Clients that mean harm: the agent stays up, keeps to its bounds, and serves a well-behaved client meanwhile.</summary>
/// <remarks>BPFREMOTE_TINY_REQUESTS sets the number of tiny requests, such as 1000000.</remarks>
[Collection(nameof(Alone))]
public sealed class AttackTests
{
    private const string LookupBatch = "/bpfremote.v1.MapService/LookupBatch";
    private const string LookupElements = "/bpfremote.v1.MapService/LookupElements";
    private const string GetBtf = "/bpfremote.v1.MapService/GetBtf";
    private const string GetNode = "/bpfremote.v1.NodeService/GetNode";

    private const int StreamsPerConnection = 32;
    private const int StalledStreams = 2_000;
    private const int StalledConnections = 63;

    private const int DefaultTinyRequests = 200_000;
    private const int MostAttacks = 3;

    /// <summary>The agent at rest, the 64 MiB that answers may hold, what the server holds of them beside, and what is not collected yet.</summary>
    private const long MostResidentBytes = 300L << 20;

    /// <summary>Memory is given back 2 s after the last eviction.</summary>
    private static readonly TimeSpan ReleaseTime = TimeSpan.FromSeconds(30);

    /// <summary>Far longer than any eviction takes: a stream that is left alone ends the test.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(LookupBatch, true, 5)]
    [InlineData(LookupBatch, false, 1)] // with the limits as they are: most are turned away at once
    [InlineData(LookupElements, false, 1)] // unary: the server itself would keep the answers
    [InlineData(GetBtf, true, 1)]
    public async Task Stalled_streams_are_evicted_in_time_and_leave_no_memory_behind(string method, bool areLimitsRaised, int writeTimeout)
    {
        Require.Kernel();
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 20_000, 128);
        string raised = areLimitsRaised ? """ "maxConcurrentScans": 2048, "maxScansPerPrincipal": 2048, "maxBufferBytes": 1073741824, """ : "";
        using AgentSite site = new($$"""{ "limits": { {{raised}} "writeTimeout": "00:00:0{{writeTimeout}}" } }""");
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        IMessage request = method switch
        {
            LookupBatch => new LookupBatchRequest { Map = map.Selector, Pace = Pace.Full },
            GetBtf => new GetBtfRequest { Map = map.Selector, Kind = BtfObjectKind.Vmlinux },
            _ => new LookupElementsRequest
            {
                Map = map.Selector,
                Keys = ByteString.CopyFrom([.. Enumerable.Range(0, 1_000).SelectMany(map.KeyOf)]),
            },
        };

        // Once to warm up: what the process takes for the code itself, it keeps.
        long fresh = agent.ResidentBytes;
        (_, _, long warm) = await StallAsync(site, agent, method, request);
        await WaitForReleaseAsync(agent, (fresh + warm) / 2);
        long before;
        TimeSpan evicted, withoutCpu, released;
        long peak;
        int attacks = 0;
        do
        {
            // Again where it has grown: what is lost grows with every attack, what the heap still took for its shape does not.
            before = agent.ResidentBytes;
            (evicted, withoutCpu, peak) = await StallAsync(site, agent, method, request);
            released = await WaitForReleaseAsync(agent, before * 11 / 10);
        }
        while (agent.ResidentBytes > before * 11 / 10 && ++attacks < MostAttacks);

        TestContext.Current.SendDiagnosticMessage(
            $"{method}: evicted after {evicted.TotalSeconds:F2} s, {withoutCpu.TotalSeconds:F2} s of threads without a CPU; resident {fresh >> 20} MiB at first, {before >> 20} MiB before, {peak >> 20} at the peak, {agent.ResidentBytes >> 20} {released.TotalSeconds:F1} s after");

        // Less what others had of the machine: a thread that no CPU takes evicts nobody.
        Assert.InRange(evicted - withoutCpu, TimeSpan.MinValue, TimeSpan.FromSeconds(writeTimeout + 1));
        Assert.InRange(peak, 0, areLimitsRaised ? 2L << 30 : MostResidentBytes);
        Assert.InRange(agent.ResidentBytes, 0, before * 11 / 10);
        agent.AssertNoFailureLogged();
        await agent.WaitForOpenFilesAsync(files => !files.Contains("anon_inode:bpf-map"), Cancelled);
    }

    [Fact]
    public async Task Rapid_resets_end_their_connection_and_nothing_else()
    {
        await WhileServedAsync(async path =>
        {
            for (int connections = 0; connections < 10; connections++)
            {
                using RawHttp2 attacker = RawHttp2.Connect(path, window: 65_535);
                bool isOpen = true;
                for (int burst = 0; burst < 100 && isOpen; burst++)
                {
                    for (int i = 0; i < 100; i++)
                    {
                        attacker.AddReset(attacker.AddCall(GetNode, new GetNodeRequest()));
                    }

                    isOpen = await attacker.TrySendAsync(Cancelled);
                }
            }
        });
    }

    [Fact]
    public async Task Endless_headers_end_their_connection_and_nothing_else()
    {
        await WhileServedAsync(async path =>
        {
            byte[] header = RawHttp2.Encode(("x-flood", new string('x', 4_000)));
            for (int connections = 0; connections < 10; connections++)
            {
                using RawHttp2 attacker = RawHttp2.Connect(path, window: 65_535);
                int stream = attacker.AddHeaders(GetNode, flags: 0);
                int frames = 0;
                do
                {
                    attacker.AddFrame(RawHttp2.Continuation, 0, stream, header);
                    Assert.InRange(++frames, 1, 10_000); // 40 MB of headers, where 8 KiB are allowed
                }
                while (await attacker.TrySendAsync(Cancelled));
            }
        });
    }

    [Fact]
    public async Task Oversized_messages_end_their_calls_and_nothing_else()
    {
        await WhileServedAsync(async path =>
        {
            byte[] prefix = [0, 0x7F, 0xFF, 0xFF, 0xFF]; // a message of 2 GiB begins
            byte[] data = new byte[16_384];
            for (int connections = 0; connections < 10; connections++)
            {
                using RawHttp2 attacker = RawHttp2.Connect(path, window: 65_535);
                for (int i = 0; i < StreamsPerConnection; i++)
                {
                    int stream = attacker.AddHeaders(LookupElements, RawHttp2.EndHeaders);
                    attacker.AddFrame(RawHttp2.Data, 0, stream, prefix);
                    attacker.AddFrame(RawHttp2.Data, 0, stream, i % 2 == 0 ? data : []);
                }

                await attacker.TrySendAsync(Cancelled);
                Assert.NotNull(await attacker.ReadUntilAsync(RawHttp2.IsEnd, Cancelled));
            }
        });
    }

    [Fact]
    public async Task Tiny_requests_without_end_are_turned_away_or_answered()
    {
        int requests = Environment.GetEnvironmentVariable("BPFREMOTE_TINY_REQUESTS") is { } set
            ? int.Parse(set, CultureInfo.InvariantCulture)
            : DefaultTinyRequests;
        await WhileServedAsync(async path =>
        {
            // Requests of no known method cost their sender the least.
            int sent = 0;
            await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
            {
                while (Volatile.Read(ref sent) < requests)
                {
                    using RawHttp2 attacker = RawHttp2.Connect(path, window: 65_535);
                    Task reading = attacker.ReadToEndAsync(Cancelled);
                    bool isOpen = true;
                    while (isOpen && Volatile.Read(ref sent) < requests)
                    {
                        for (int i = 0; i < StreamsPerConnection; i++)
                        {
                            attacker.AddHeaders("/x", RawHttp2.EndHeaders | RawHttp2.EndStream);
                        }

                        isOpen = await attacker.TrySendAsync(Cancelled);
                        Interlocked.Add(ref sent, StreamsPerConnection);
                    }

                    attacker.Dispose();
                    await reading;
                }
            }));
        });
    }

    /// <summary>Opens streams that take nothing, as many as there may be, and waits until the agent has ended all of them.</summary>
    /// <returns>The longest that an attacker was left without an answer, the time in which threads of the agent and of this process
    /// had no CPU, and the most memory meanwhile.</returns>
    private static async Task<(TimeSpan Evicted, TimeSpan WithoutCpu, long Peak)> StallAsync(
        AgentSite site, AgentProcess agent, string method, IMessage request)
    {
        CpuWait wait = CpuWait.Begin(agent.ServerId, Environment.ProcessId);
        RawHttp2[] attackers = [.. Enumerable.Range(0, StalledConnections).Select(_ => RawHttp2.Connect(site.SocketPath, window: 0))];
        try
        {
            for (int stream = 0; stream < StalledStreams; stream++)
            {
                attackers[stream % StalledConnections].AddCall(method, request);
            }

            await Task.WhenAll(attackers.Select(attacker => attacker.TrySendAsync(Cancelled)));
            Task<TimeSpan[]> ends = Task.WhenAll(attackers.Select(attacker => attacker.ReadUntilCallsEndAsync(Cancelled)))
                .WaitAsync(Patience, TimeProvider.System, Cancelled);
            long peak = 0;
            do
            {
                peak = Math.Max(peak, agent.ResidentBytes);
            }
            while (await Task.WhenAny(ends, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancelled)) != ends);

            return ((await ends).Max(), wait.Elapsed, peak);
        }
        finally
        {
            Array.ForEach(attackers, attacker => attacker.Dispose());
        }
    }

    /// <summary>Waits until the agent has given memory back: another process tells nobody when that is.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="bytes">How much it may keep.</param>
    /// <returns>The time waited.</returns>
    private static async Task<TimeSpan> WaitForReleaseAsync(AgentProcess agent, long bytes)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (agent.ResidentBytes > bytes && TimeProvider.System.GetElapsedTime(start) < ReleaseTime)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancelled);
        }

        return TimeProvider.System.GetElapsedTime(start);
    }

    /// <summary>Attacks while a client reads a map again and again, and expects each of its scans to be complete.</summary>
    private static async Task WhileServedAsync(Func<string, Task> attack)
    {
        Require.Kernel();
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 1_000);
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        using BpfRemoteClient client = site.Connect();

        Task attacking = attack(site.SocketPath);
        int scans = 0;
        do
        {
            int entries = 0;
            await foreach (MapBatch batch in client.Scan(map.Selector).WithCancellation(Cancelled))
            {
                entries += batch.Count;
            }

            Assert.Equal(map.Count, entries);
            scans++;
        }
        while (!attacking.IsCompleted);

        await attacking;
        TestContext.Current.SendDiagnosticMessage($"{scans} scans meanwhile, resident {agent.ResidentBytes >> 20} MiB");
        Assert.True(agent.Program.IsRunning);
        agent.AssertNoFailureLogged();
    }
}
