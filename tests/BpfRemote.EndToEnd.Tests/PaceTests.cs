using System.Globalization;
using BpfRemote.Client;
using BpfRemote.DemoMaps;
using BpfRemote.EndToEnd.Maps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;
using BpfRemote.V1;

namespace BpfRemote.EndToEnd;

/// <summary>What a gentle scan leaves to others: to tracing programs their CPU, to short pages their turn.</summary>
[Collection(nameof(Alone))]
public sealed class PaceTests
{
    private const int Rounds = 7;
    private const int Pagers = 16;
    private const int PagesPerPager = 100;
    private const double LeastKept = 0.88;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1_000_000, 1_000_000)]
    [InlineData(1 << 22, 1_000)]
    public async Task A_gentle_scan_leaves_tracing_programs_their_runs(int maxEntries, int entries)
    {
        Require.Kernel();
        string bpftrace = Require.Program("bpftrace");
        string taskset = Require.Program("taskset");
        using WritableMap map = CreateMap(maxEntries, entries);
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        using BpfRemoteClient client = site.Connect();
        int cpu = Environment.ProcessorCount - 1; // of those that there are, the one that the first interrupts do not go to
        CommandResult pinned = await Command.RunAsync(taskset, ["-a", "-p", "-c", $"{cpu}", $"{agent.ServerId}"], Cancelled);
        Assert.True(pinned.ExitCode == 0, pinned.Error);

        await using RunningProgram counter = RunningProgram.Start(
            bpftrace, "-e", $"profile:hz:1000 /cpu == {cpu}/ {{ @runs++; }} interval:ms:100 {{ printf(\"%lld\\n\", @runs); }}");
        await WaitForRunsAsync(counter, 0);

        // Side by side, so that whatever else the machine does is in both.
        List<double> kept = [];
        for (int round = 0; round < Rounds; round++)
        {
            double without = await RateAsync(counter);
            using CancellationTokenSource scanning = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
            Task scans = ScanAsync(scanning.Token);
            kept.Add(await RateAsync(counter) / without);
            await scanning.CancelAsync();
            await scans;
        }

        kept.Sort();
        TestContext.Current.SendDiagnosticMessage($"{entries} of {maxEntries}: kept {string.Join(", ", kept.Select(k => $"{k:F3}"))}");
        Assert.InRange(kept[Rounds / 2], LeastKept, double.PositiveInfinity);

        async Task ScanAsync(CancellationToken ended) => await ScanUntilAsync(client, MapSelectors.ById(map.Id), ended);
    }

    [Fact]
    public async Task Short_pages_do_not_wait_for_a_long_scan()
    {
        Require.Kernel();
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 1_000_000);
        using AgentSite site = new("""{ "limits": { "maxConcurrentScans": 64, "maxScansPerPrincipal": 64 } }""");
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        using BpfRemoteClient client = site.Connect();
        using CancellationTokenSource scanning = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        Task scans = ScanAsync();
        (TimeSpan Elapsed, TimeSpan Waited)[][] pages =
            await Task.WhenAll(Enumerable.Range(0, Pagers).Select(_ => PageAsync(client, map.Selector)));
        await scanning.CancelAsync();
        await scans;

        TimeSpan[] elapsed = [.. pages.SelectMany(pager => pager).Select(page => page.Elapsed).Order()];
        TimeSpan[] waited = [.. pages.SelectMany(pager => pager).Select(page => page.Waited).Order()];
        TestContext.Current.SendDiagnosticMessage(
            $"pages: p50 {elapsed[elapsed.Length / 2].TotalMilliseconds:F2} ms, p99 {elapsed[elapsed.Length * 99 / 100].TotalMilliseconds:F2} ms");

        // What the machine makes them wait for is not the pace's.
        Assert.Equal(TimeSpan.Zero, waited[waited.Length * 99 / 100]);

        async Task ScanAsync() => await ScanUntilAsync(client, map.Selector, scanning.Token);
    }

    private static WritableMap CreateMap(int maxEntries, int entries)
    {
        const uint BPF_F_NO_PREALLOC = 1;
        const int Batch = 1_000;
        WritableMap map = WritableMap.Create(new()
        {
            Type = BpfMapType.Hash,
            Name = "e2e_pace",
            KeySize = 8,
            ValueSize = 8,
            MaxEntries = (uint)maxEntries,
            Flags = BPF_F_NO_PREALLOC,
        });
        byte[] keys = new byte[8 * Batch];
        for (int number = 0; number < entries; number++)
        {
            BitConverter.TryWriteBytes(keys.AsSpan(8 * (number % Batch)), (ulong)number);
            if (number % Batch == Batch - 1)
            {
                map.UpdateBatch(keys, keys, Batch);
            }
        }

        return map;
    }

    private static async Task ScanUntilAsync(BpfRemoteClient client, MapSelector map, CancellationToken ended)
    {
        try
        {
            while (true)
            {
                await foreach (MapBatch batch in client.Scan(map, new() { Include = Include.CountOnly }).WithCancellation(ended))
                {
                    Assert.True(batch.Count >= 0);
                }
            }
        }
        catch (Exception) when (ended.IsCancellationRequested)
        {
            // As it was asked to.
        }
    }

    private static async Task<(TimeSpan Elapsed, TimeSpan Waited)[]> PageAsync(BpfRemoteClient client, MapSelector map)
    {
        (TimeSpan Elapsed, TimeSpan Waited)[] pages = new (TimeSpan, TimeSpan)[PagesPerPager];
        string token = "";
        for (int page = 0; page < pages.Length; page++)
        {
            long start = TimeProvider.System.GetTimestamp();
            await foreach (MapBatch batch in client.Scan(map, new() { Limit = 100, ContinuationToken = token }).WithCancellation(Cancelled))
            {
                token = batch.ContinuationToken;
                pages[page] = (TimeProvider.System.GetElapsedTime(start), batch.Cost.PaceWaitTime.ToTimeSpan());
            }
        }

        return pages;
    }

    /// <summary>Runs per second of the counted program, over a round.</summary>
    private static async Task<double> RateAsync(RunningProgram counter)
    {
        (long before, long start) = (await WaitForRunsAsync(counter, Runs(counter)), TimeProvider.System.GetTimestamp());
        long runs = before;
        while (TimeProvider.System.GetElapsedTime(start) < Round)
        {
            runs = await WaitForRunsAsync(counter, runs);
        }

        return (runs - before) / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    private static long Runs(RunningProgram counter) =>
        counter.Output.Split('\n').Select(line => long.TryParse(line, CultureInfo.InvariantCulture, out long runs) ? runs : -1).LastOrDefault(-1);

    /// <summary>Waits until the program has printed more runs than those.</summary>
    private static async Task<long> WaitForRunsAsync(RunningProgram counter, long than)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (Runs(counter) <= than)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30), counter.Output);
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancelled);
        }

        return Runs(counter);
    }
}
