using System.Text.Json;
using BpfRemote.Client;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.V1;

namespace BpfRemote.EndToEnd.Tracing;

/// <summary>Maps that programs in the field make: the agent lists and reads them as bpftool does, and the command line prints them so.</summary>
public sealed class TracingTests
{
    private const string BpftraceScript = """
        BEGIN
        {
            @number = 42; @text["a", 1] = "b"; @largest[1, 2] = max(5); @mean = avg(7); @all = stats(7); @powers = hist(5);
            @steps = lhist(3, 0, 10, 1); @stacks[kstack] = count();
            printf("tracing\n");
        }
        tracepoint:sched:sched_switch { @switches[cpu] = count(); @next[args->next_pid] = nsecs; }
        interval:s:3600 { exit(); }
        """;

    // A map that changes all the time may contradict by chance: a value that was another for a moment between two dumps.
    private const int Attempts = 10;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Maps_of_bpftrace_are_read_as_bpftool_reads_them()
    {
        Require.Kernel();
        await using TracingTool bpftrace = await TracingTool.StartAsync(
            "tracing", Cancelled, Require.Program("bpftrace"), "-B", "line", "-e", BpftraceScript);

        Dictionary<string, int> entries = await CompareAsync(bpftrace);

        // bpftrace names its maps AT_, for the @.
        Assert.Equal(1, entries["AT_number"]);
        Assert.Equal(1, entries["AT_text"]);
        Assert.Equal(1, entries["AT_largest"]);
        Assert.Equal(1, entries["AT_powers"]);
        Assert.InRange(entries["AT_switches"], 1, int.MaxValue);
        Assert.InRange(entries["AT_next"], 1, int.MaxValue);
    }

    [Theory]
    [InlineData("execsnoop", "PCOMM")]
    [InlineData("exitsnoop", "PCOMM")]
    [InlineData("opensnoop", "PID")]
    [InlineData("statsnoop", "PID")]
    [InlineData("killsnoop", "TIME")]
    [InlineData("tcplife", "PID")]
    [InlineData("syscount", "Tracing syscalls")]
    [InlineData("runqlat", "Tracing run queue latency")]
    [InlineData("biolatency", "Tracing block device I/O")]
    [InlineData("cpudist", "Tracing on-CPU time")]
    [InlineData("hardirqs", "Tracing hard irq event time")]
    [InlineData("softirqs", "Tracing soft irq event time")]
    public async Task Maps_of_libbpf_tools_are_read_as_bpftool_reads_them(string tool, string firstWords)
    {
        Require.Kernel();
        await using TracingTool tracing = await TracingTool.StartAsync(firstWords, Cancelled, Require.Program(tool));

        Dictionary<string, int> entries = await CompareAsync(tracing);

        Assert.Contains(entries.Values, count => count > 0);
    }

    [Theory]
    [InlineData("tracepoint:syscalls:sys_enter_read { @reads[pid, comm] = count(); @sizes = hist(args->count); }")]
    [InlineData("tracepoint:sched:sched_wakeup { @woken[args->pid] = nsecs; @by_name[comm] = count(); @last = comm; }")]
    public async Task Maps_of_other_scripts_are_read_as_bpftool_reads_them(string script)
    {
        Require.Kernel();
        await using TracingTool bpftrace = await TracingTool.StartAsync(
            "tracing", Cancelled, Require.Program("bpftrace"), "-B", "line", "-e", $"BEGIN {{ printf(\"tracing\\n\"); }} {script}");

        Dictionary<string, int> entries = await CompareAsync(bpftrace);

        Assert.Contains(entries.Values, count => count > 0);
    }

    /// <summary>Compares every map of a program.</summary>
    /// <returns>How many entries the agent gave of each, by name.</returns>
    private static async Task<Dictionary<string, int>> CompareAsync(TracingTool tool)
    {
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        using BpfRemoteClient client = site.Connect();
        Dictionary<uint, Map> listed = [];
        await foreach (Map map in client.ListMapsAsync(new() { View = MapView.Full }, Cancelled))
        {
            listed.Add(map.Id, map);
        }

        Dictionary<string, int> entries = [];
        Assert.NotEmpty(tool.MapIds);
        foreach (uint id in tool.MapIds)
        {
            Assert.True(listed.TryGetValue(id, out Map? map), $"map {id} is not listed");
            Assert.Contains(map.Owners, owner => owner.Pid == tool.Id);
            await AssertDescribedAsBpftoolDoesAsync(map);
            entries[map.Name] = await CompareEntriesAsync(client, site.Address, map);
        }

        agent.AssertNoFailureLogged();
        return entries;
    }

    private static async Task AssertDescribedAsBpftoolDoesAsync(Map map)
    {
        CommandResult bpftool = await Command.RunAsync(Require.Program("bpftool"), ["-j", "map", "show", "id", $"{map.Id}"], Cancelled);
        using JsonDocument json = JsonDocument.Parse(bpftool.Output);
        JsonElement shown = json.RootElement;
        Assert.Equal(shown.GetProperty("type").GetString(), map.TypeName);
        Assert.Equal(shown.TryGetProperty("name", out JsonElement name) ? name.GetString() : "", map.Name);
        Assert.Equal(shown.GetProperty("flags").GetUInt32(), map.Flags);
        Assert.Equal(shown.GetProperty("bytes_key").GetUInt32(), map.KeySize);
        Assert.Equal(shown.GetProperty("bytes_value").GetUInt32(), map.ValueSize);
        Assert.Equal(shown.GetProperty("max_entries").GetUInt32(), map.MaxEntries);
        Assert.Equal(shown.GetProperty("frozen").GetInt32() != 0, map.Frozen);
        Assert.Equal(shown.TryGetProperty("btf_id", out JsonElement btf) ? btf.GetUInt32() : 0, map.BtfId);
    }

    private static async Task<int> CompareEntriesAsync(BpfRemoteClient client, string address, Map map)
    {
        if (map.ReadSupport.ReadMethod == ReadMethod.None)
        {
            Assert.NotEmpty(map.ReadSupport.Reason);
            Assert.Equal(0, (await MapDump.ByBpftoolAsync(map.Id, Cancelled)).Count);
            Assert.Equal(0, (await MapDump.ByCommandLineAsync(address, map.Id, Cancelled)).Count);
            return 0;
        }

        bool hasFixedKeys = map.Type is MapType.Array or MapType.PercpuArray or MapType.PerfEventArray;
        string? contradiction = null;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            MapDump before = await MapDump.ByBpftoolAsync(map.Id, Cancelled);
            MapDump dump = await MapDump.ByAgentAsync(client, map.Id, Cancelled);
            MapDump printed = await MapDump.ByCommandLineAsync(address, map.Id, Cancelled);
            MapDump after = await MapDump.ByBpftoolAsync(map.Id, Cancelled);
            contradiction = dump.FindContradiction(before, after, hasFixedKeys) ?? printed.FindContradiction(before, after, hasFixedKeys);
            if (contradiction is null)
            {
                Assert.Equal(map.BtfValueTypeId != 0 ? printed.Count : 0, printed.TypedCount);
                return dump.Count;
            }
        }

        Assert.Fail($"{map.TypeName} {map.Name}: {contradiction}");
        return 0;
    }
}
