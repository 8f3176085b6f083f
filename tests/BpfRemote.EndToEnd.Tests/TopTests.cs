using System.Text.Json;
using BpfRemote.DemoMaps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;

namespace BpfRemote.EndToEnd;

/// <summary><c>bpfremote map top</c> on a map that changes.</summary>
[Collection(nameof(Alone))]
public sealed class TopTests
{
    private const int Refreshes = 3;

    // A nanosecond each: the rates follow from the clock alone, whenever the refreshes are.
    private const double FastPerSecond = 1e9;
    private const double SlowPerSecond = 1e8;

    private static readonly byte[] Fast = [1, 0, 0, 0];
    private static readonly byte[] Slow = [2, 0, 0, 0];
    private static readonly byte[] Large = [3, 0, 0, 0];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Entries_of_a_map_that_changes_are_ranked_by_how_fast_they_grow()
    {
        Require.Kernel();
        using WritableMap map = WritableMap.Create(new() { Type = BpfMapType.Hash, Name = "e2e_top", KeySize = 4, ValueSize = 8, MaxEntries = 16 });
        map.Update(Large, BitConverter.GetBytes(ulong.MaxValue));
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);

        Task<CommandResult> running = Command.RunAsync(
            Require.BuiltPath("CommandLineProgram"),
            ["--address", site.Address, "map", "top", "id", $"{map.Id}", "--interval", "1s", "--count", $"{Refreshes}", "--limit", "2"],
            Cancelled);
        long start = TimeProvider.System.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(2), TimeProvider.System);
        while (!running.IsCompleted)
        {
            double seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
            map.Update(Fast, BitConverter.GetBytes((ulong)(seconds * FastPerSecond)));
            map.Update(Slow, BitConverter.GetBytes((ulong)(seconds * SlowPerSecond)));
            await timer.WaitForNextTickAsync(Cancelled);
        }

        CommandResult top = await running;
        Assert.Equal(("", 0), (top.Error, top.ExitCode));
        JsonElement[] rows = [.. top.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(2 * Refreshes, rows.Length);
        for (int i = 0; i < rows.Length; i += 2)
        {
            AssertIs("0x01", rows[i]);
            AssertIs("0x02", rows[i + 1]);

            // On a busy machine the writer may stand still and catch up, for both entries at once.
            Assert.InRange(Rate(rows[i]) / Rate(rows[i + 1]), FastPerSecond / SlowPerSecond / 3, FastPerSecond / SlowPerSecond * 3);
        }

        agent.AssertNoFailureLogged();
    }

    private static void AssertIs(string key, JsonElement row) => Assert.Equal(key, row.GetProperty("key")[0].GetString());

    private static double Rate(JsonElement row) => row.GetProperty("rate").GetDouble();
}
