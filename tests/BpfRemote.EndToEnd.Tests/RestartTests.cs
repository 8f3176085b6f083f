using BpfRemote.Client;
using BpfRemote.EndToEnd.Maps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.EndToEnd;

/// <summary>Agents that go away in the middle of a scan, and readers that do.</summary>
[Collection(nameof(Alone))]
public sealed class RestartTests
{
    // Beyond what socket and stream windows hold, so that the agent cannot be done before the client has read most of it.
    private const uint LargeValue = 128;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(BpfMapType.Hash, 200_000)]
    [InlineData(BpfMapType.PerCpuArray, 100_000)]
    [InlineData(BpfMapType.LpmTrie, 200_000)]
    public async Task A_scan_outlives_agents_that_are_killed(BpfMapType type, int entries)
    {
        Require.Kernel();
        using KnownMap map = KnownMap.Create(type, entries, LargeValue);
        using AgentSite site = new();
        using BpfRemoteClient client = site.Connect();
        ScanRecord record = new(map);
        int interruptions = 0;
        ScanOptions options = new() { BatchSize = 1_000, OnResume = resume => interruptions += resume.Try == 1 ? 1 : 0 };

        Task<AgentProcess> restart = site.StartAgentAsync(Cancelled);
        Queue<int> killAt = new([0, 1, entries / 4, entries / 2, entries * 3 / 4]);
        int kills = killAt.Count;
        try
        {
            await restart;
            await foreach (MapBatch batch in client.Scan(map.Selector, options).WithCancellation(Cancelled))
            {
                record.Add(batch);
                if (killAt.TryPeek(out int at) && record.Count >= at && restart.IsCompletedSuccessfully)
                {
                    killAt.Dequeue();

                    // Not waited for: the client finds no agent for a while, and then a new one.
                    restart = KillAndRestartAsync(await restart);
                }
            }

            Assert.Empty(killAt);
        }
        finally
        {
            await using AgentProcess last = await restart;
        }

        record.AssertComplete();
        Assert.True(interruptions >= kills, $"{interruptions} interruptions by {kills} kills");

        async Task<AgentProcess> KillAndRestartAsync(AgentProcess agent)
        {
            await agent.DisposeAsync();
            return await site.StartAgentAsync(Cancelled);
        }
    }

    [Fact]
    public async Task A_terminated_agent_drains_at_once_and_the_scan_goes_on_with_the_next()
    {
        Require.Kernel();
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 200_000, LargeValue);
        using AgentSite site = new();
        using BpfRemoteClient client = site.Connect();
        ScanRecord record = new(map);
        List<BpfRemoteException> causes = [];
        AgentProcess first = await site.StartAgentAsync(Cancelled);
        TimeSpan drain = default;
        TimeSpan idle = default;
        Task<AgentProcess>? restart = null;
        try
        {
            ScanOptions options = new() { OnResume = resume => causes.Add(resume.Cause) };
            await foreach (MapBatch batch in client.Scan(map.Selector, options).WithCancellation(Cancelled))
            {
                record.Add(batch);
                if (restart is null && record.Count >= map.Count / 10)
                {
                    restart = DrainAndRestartAsync();
                }
            }

            idle = await (await restart!).TerminateAsync(Cancelled);
        }
        finally
        {
            await using AgentProcess second = await (restart ?? Task.FromResult(first));
        }

        record.AssertComplete();

        // On a busy machine a process takes its time to end also where it has nothing to drain.
        Assert.InRange(drain, TimeSpan.Zero, TimeSpan.FromSeconds(Math.Max(2, 3 * idle.TotalSeconds)));
        Assert.Equal((StatusCode.Unavailable, ErrorReason.Draining), (causes[0].StatusCode, causes[0].Reason));

        async Task<AgentProcess> DrainAndRestartAsync()
        {
            await using (first)
            {
                drain = await first.TerminateAsync(Cancelled);
                first.AssertNoFailureLogged();
            }

            return await site.StartAgentAsync(Cancelled);
        }
    }

    [Fact]
    public async Task A_reader_that_stalls_is_evicted_frees_what_it_held_and_can_go_on()
    {
        Require.Kernel();
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 200_000, LargeValue);
        using AgentSite site = new("""{ "limits": { "writeTimeout": "00:00:00.5" } }""");
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        using BpfRemoteClient client = site.Connect();
        ScanRecord record = new(map);
        List<BpfRemoteException> causes = [];

        await foreach (MapBatch batch in client.Scan(map.Selector, new() { OnResume = resume => causes.Add(resume.Cause) }).WithCancellation(Cancelled))
        {
            if (record.Count == 0)
            {
                Assert.Contains("anon_inode:bpf-map", agent.OpenFiles);

                // Reads nothing until the agent has let go of the map.
                await agent.WaitForOpenFilesAsync(files => !files.Contains("anon_inode:bpf-map"), Cancelled);
            }

            record.Add(batch);
        }

        record.AssertComplete();
        Assert.NotEmpty(causes);
        agent.AssertNoFailureLogged();
    }
}
