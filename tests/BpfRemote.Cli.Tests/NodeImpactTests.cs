using System.Text.Json;
using BpfRemote.V1;
using Google.Protobuf.WellKnownTypes;

namespace BpfRemote.Cli.Tests;

/// <summary><c>node impact</c>: what a scan took, and what programs missed meanwhile.</summary>
public sealed class NodeImpactTests
{
    private static readonly Layout Layout = new() { MapId = 7, KeySize = 1, ValueSize = 1, ValueStride = 1, ValueKind = ValueKind.Raw };

    [Fact]
    public async Task Misses_are_those_between_the_readings_before_and_after_the_scan()
    {
        await using ScriptedAgent agent = await StartAsync(missedMeanwhile: 41);

        Run run = await Run.Async(agent, "-j node impact id 7 --pace full");

        Assert.Equal(ExitCode.Done, run.ExitCode);
        JsonElement impact = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(1_000, impact.GetProperty("entries").GetInt32());
        Assert.Equal(4, impact.GetProperty("native_calls").GetInt32());
        Assert.Equal(2_000, impact.GetProperty("kernel_time_us").GetInt32());
        Assert.Equal(900, impact.GetProperty("longest_call_us").GetInt32());
        Assert.InRange(impact.GetProperty("cpu_share").GetDouble(), 1e-9, double.MaxValue);
        Assert.Equal(2, impact.GetProperty("programs_watched").GetInt32());
        JsonElement missed = Assert.Single(impact.GetProperty("missed").EnumerateArray());
        Assert.Equal((3, "tracepoint", "on_switch", 41), (
            missed.GetProperty("id").GetInt32(),
            missed.GetProperty("type").GetString(),
            missed.GetProperty("name").GetString(),
            missed.GetProperty("misses").GetInt32()));
    }

    [Fact]
    public async Task People_read_it_as_a_card_and_a_table_of_the_programs_that_missed_runs()
    {
        await using ScriptedAgent agent = await StartAsync(missedMeanwhile: 41);

        string[] lines = (await Run.Async(agent, "node impact name small")).Output.Split('\n');

        Assert.Equal("Scan of hash 'small' (id 7) at gentle pace", lines[0]);
        Assert.Contains("  Longest call     900 us", lines);
        Assert.Contains("  Programs         2 watched, 1 missed runs meanwhile", lines);
        Assert.Contains("    41   3  tracepoint  on_switch", lines);
    }

    [Fact]
    public async Task Where_nothing_is_missed_it_says_so()
    {
        await using ScriptedAgent agent = await StartAsync(missedMeanwhile: 0);

        Assert.Contains("2 watched, none missed runs meanwhile", (await Run.Async(agent, "node impact id 7")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scan_that_fails_gives_no_impact()
    {
        await using ScriptedAgent agent = await StartAsync(missedMeanwhile: 0);
        agent.Scan = static (_, _) => throw ScriptedAgent.Error(Grpc.Core.StatusCode.PermissionDenied, "READ_DENIED", "not yours to read");

        Run run = await Run.Async(agent, "node impact id 7");

        Assert.Equal(ExitCode.PermissionDenied, run.ExitCode);
        Assert.Empty(run.Output);
    }

    /// <summary>A map used by two programs, one of which misses runs while the map is scanned.</summary>
    private static async Task<ScriptedAgent> StartAsync(ulong missedMeanwhile)
    {
        ProgramReference traced = new() { Id = 3, Name = "on_switch", Type = "tracepoint", RecursionMisses = 1_000 };
        Map map = new()
        {
            Id = 7,
            Name = "small",
            Type = MapType.Hash,
            TypeName = "hash",
            KeySize = 1,
            ValueSize = 1,
            ValueStride = 1,
            MaxEntries = 1_000,
            Programs = { traced, new ProgramReference { Id = 4, Name = "filter", Type = "xdp" } },
        };
        ScriptedAgent agent = await ScriptedAgent.StartAsync(map);
        agent.Scan = (request, _) =>
        {
            Assert.Equal(Include.CountOnly, request.Include);
            traced.RecursionMisses += missedMeanwhile;
            return AsyncEnumerable.Repeat(
                new LookupBatchResponse
                {
                    Count = 1_000,
                    Layout = Layout,
                    Cost = new ScanCost
                    {
                        Entries = 1_000,
                        NativeCalls = 4,
                        KernelTime = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(2)),
                        LongestCall = Duration.FromTimeSpan(TimeSpan.FromMicroseconds(900)),
                    },
                },
                1);
        };
        return agent;
    }
}
