using System.Text;
using System.Text.Json;
using BpfRemote.Libbpf;

namespace BpfRemote.DemoMaps.Tests;

public sealed class DemoTests
{
    private readonly string _pins = $"{Bpffs.Root}/demo-tests-{Environment.ProcessId}-{Guid.NewGuid():N}";

    public DemoTests() => Bpftool.Require();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(500)]
    public void Connections_come_and_go_and_their_number_stays(int count)
    {
        using ConnectionTable table = new(count, TimeProvider.System);
        HashSet<string> before = KeysOf(table);
        Assert.Equal(count, before.Count);

        // More steps than a connection lives for: all have been replaced then.
        for (int step = 0; step < 100; step++)
        {
            table.Advance();
        }

        HashSet<string> after = KeysOf(table);
        Assert.Equal(count, after.Count);
        Assert.Empty(before.Intersect(after));
    }

    [Fact]
    public void A_connection_is_described_in_words()
    {
        using ConnectionTable table = new(connections: 10, TimeProvider.System);

        JsonElement connection = Bpftool.Dump(table.Map.Id)[0];

        Assert.Equal(
            ["saddr", "daddr", "sport", "dport", "proto", "pad"],
            connection.GetProperty("key").EnumerateObject().Select(field => field.Name));
        Assert.Equal(
            ["packets", "bytes", "last_seen_ns", "state", "retransmits"],
            connection.GetProperty("value").EnumerateObject().Select(field => field.Name));
        Assert.Equal("CONN_ESTABLISHED", connection.GetProperty("value").GetProperty("state").GetString());
    }

    [Fact]
    public void Every_cpu_counts_up()
    {
        using CpuCounters counters = new();
        List<ulong> before = PacketsOf(counters);
        counters.Advance();
        List<ulong> after = PacketsOf(counters);

        Assert.Equal(4 * WritableMap.PossibleCpus, before.Count);
        Assert.All(before.Zip(after), packets => Assert.True(packets.First < packets.Second));
    }

    [Fact]
    public void The_longest_prefix_routes()
    {
        using RouteTable routes = new();

        Assert.Equal(5u, MetricTo(routes, 10, 0, 7, 99));
        Assert.Equal(20u, MetricTo(routes, 10, 0, 200, 1));
        Assert.Equal(50u, MetricTo(routes, 10, 200, 0, 1));
        Assert.Equal(100u, MetricTo(routes, 8, 8, 8, 8));
        routes.Advance();
        Assert.Equal(101u, MetricTo(routes, 8, 8, 8, 8));
    }

    [Fact]
    public void Settings_read_as_they_were_set()
    {
        using WritableMap settings = Settings.Create();

        JsonElement rate = Bpftool.Dump(settings.Id)[1].GetProperty("value");

        Assert.True(rate.GetProperty("enabled").GetBoolean());
        Assert.Equal(20_000u, rate.GetProperty("limit").GetUInt32());
        Assert.Equal("new_conn_rate", rate.GetProperty("name").GetString());
    }

    [Fact]
    public async Task Nothing_is_left_of_a_run()
    {
        using CancellationTokenSource stop = new();
        StringBuilder said = new();
        Task run = Demo.RunAsync(DemoOptions.Parse(["--pin-dir", _pins]), TimeProvider.System, new StringWriter(said), stop.Token);

        Assert.EndsWith("ready\n", said.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            ["conn_table", "cpu_counters", "routes", "settings"],
            Directory.EnumerateFiles(_pins).Select(pin => Path.GetFileName(pin)).Order(StringComparer.Ordinal));
        await stop.CancelAsync();
        await run;

        Assert.False(Directory.Exists(_pins));
    }

    [Fact]
    public async Task A_second_run_leaves_the_pins_of_the_first_alone()
    {
        DemoOptions options = DemoOptions.Parse(["--pin-dir", _pins]);
        using CancellationTokenSource stop = new();
        Task run = Demo.RunAsync(options, TimeProvider.System, TextWriter.Null, stop.Token);

        BpfException refused = await Assert.ThrowsAsync<BpfException>(
            () => Demo.RunAsync(options, TimeProvider.System, TextWriter.Null, stop.Token));

        Assert.Equal(Errno.EEXIST, refused.Errno);
        Assert.Equal(4, Directory.EnumerateFiles(_pins).Count());
        await stop.CancelAsync();
        await run;
    }

    private static HashSet<string> KeysOf(ConnectionTable table) =>
        [.. Bpftool.Dump(table.Map.Id).Select(connection => connection.GetProperty("key").GetRawText())];

    private static List<ulong> PacketsOf(CpuCounters counters) =>
    [
        .. Bpftool.Dump(counters.Map.Id)
            .SelectMany(queue => queue.GetProperty("values").EnumerateArray())
            .Select(cpu => cpu.GetProperty("value").GetProperty("packets").GetUInt64()),
    ];

    private static uint MetricTo(RouteTable routes, params ReadOnlySpan<byte> address) =>
        BitConverter.ToUInt32(routes.Map.Lookup([.. BitConverter.GetBytes(32u), .. address])!, startIndex: 8);
}
