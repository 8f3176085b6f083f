using System.Text;
using System.Text.Json;
using BpfRemote.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace BpfRemote.Cli.Tests;

/// <summary><c>map top</c>, against an agent whose map a test writes down scan by scan.</summary>
public sealed class MapTopTests : IDisposable
{
    private static readonly Map Counters = new()
    {
        Id = 7,
        Name = "counters",
        Type = MapType.Hash,
        TypeName = "hash",
        KeySize = 1,
        ValueSize = 8,
        ValueStride = 8,
        MaxEntries = 8,
        PinnedPaths = { "/sys/fs/bpf/counters" },
    };

    private readonly LeapingClock _clock = new();
    private readonly MemoryStream _output = new();
    private readonly StringWriter _error = new();
    private int _scans;

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task Entries_are_ranked_by_what_they_grow_by_per_second()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 100), (2, 5), (3, 1000)], [(1, 110), (2, 105), (3, 1000)]);
        Assert.Equal(ExitCode.Done, await RunAsync(agent, "map top id 7 --interval 2s --count 1"));
        Assert.Equal(
            """
            {"time":"2024-10-04T00:00:02+00:00","key":["0x02"],"field":"","value":105,"rate":50,"new":false}
            {"time":"2024-10-04T00:00:02+00:00","key":["0x01"],"field":"","value":110,"rate":5,"new":false}
            {"time":"2024-10-04T00:00:02+00:00","key":["0x03"],"field":"","value":1000,"rate":0,"new":false}

            """,
            Output);
        Assert.Equal([TimeSpan.FromSeconds(2)], _clock.Waits);
    }

    [Fact]
    public async Task What_shrinks_comes_and_goes_is_told()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 100), (2, 5), (3, 9)], [(1, 40), (3, 9), (4, 30)]);
        Assert.Equal(ExitCode.Done, await RunAsync(agent, "map top id 7 --once"));
        Assert.Equal(
            """
            KEY (HEX)  KEY  VALUE  PER SECOND
            04           4     30    new 30.0
            03           3      9         0.0
            01           1     40       -60.0

            """,
            Output);
        Assert.StartsWith("counters  hash id 7 on node7  3 entries, 1 new, 1 gone\nrefreshing every 1 s: ", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_first_are_kept()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 3), (2, 9), (3, 1), (4, 7), (5, 8)]);
        Assert.Equal(ExitCode.Done, await RunAsync(agent, "map top id 7 --once --by value --limit 2"));
        Assert.Equal("KEY (HEX)  KEY  VALUE  PER SECOND\n02           2      9           -\n05           5      8           -\n", Output);
        Assert.Equal(1, _scans);
        Assert.Empty(_clock.Waits);
    }

    [Fact]
    public async Task Refreshes_slow_down_rather_than_take_more_than_gentle_scans_may()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 0)], [(1, 34)], [(1, 68)]);
        ScanOf(agent, TimeSpan.FromMilliseconds(340));
        Assert.Equal(ExitCode.Done, await RunAsync(agent, "-j map top id 7 --count 2"));
        Assert.Equal([TimeSpan.FromSeconds(3.4), TimeSpan.FromSeconds(3.4)], _clock.Waits);
        JsonElement refresh = JsonDocument.Parse(Output.Split('\n')[1]).RootElement;
        Assert.Equal(3400, refresh.GetProperty("interval_ms").GetInt32());
        Assert.Equal(340_000, refresh.GetProperty("kernel_time_us").GetInt32());
        Assert.Equal(10, refresh.GetProperty("top")[0].GetProperty("rate").GetDouble());
    }

    [Fact]
    public async Task That_refreshes_have_slowed_down_is_said()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 0)]);
        ScanOf(agent, TimeSpan.FromMilliseconds(340));
        await RunAsync(agent, "map top id 7 --once --by value");
        Assert.Contains("refreshing every 3.4 s instead of 1 s: 340 ms in the kernel, 10.00% of one CPU", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupted_scan_goes_on_and_its_wait_counts_in_the_rates()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 0), (2, 0)], [(1, 10), (2, 10)]);
        Func<LookupBatchRequest, CancellationToken, IAsyncEnumerable<LookupBatchResponse>> scan = agent.Scan;
        agent.Scan = (request, cancellationToken) => _scans == 1
            ? Broken(request.ContinuationToken)
            : scan(request, cancellationToken);
        Assert.Equal(ExitCode.Done, await RunAsync(agent, "map top id 7 --count 1"));
        Assert.Contains("interrupted, trying again in 0.1 s (try 1)", _error.ToString(), StringComparison.Ordinal);
        double[] rates = [.. Rows().Select(static row => row.GetProperty("rate").GetDouble())];
        Assert.Equal(10, rates[0]);
        Assert.InRange(rates[1], 8, 9.5);

        async IAsyncEnumerable<LookupBatchResponse> Broken(string token)
        {
            _scans += token.Length > 0 ? 1 : 0;
            yield return token.Length == 0 ? Response(7, "t1", default, (1, 10)) : Response(7, "", (2, 10));
            await Task.CompletedTask;
            if (token.Length == 0)
            {
                throw new RpcException(new(StatusCode.Unavailable, "restarting"));
            }
        }
    }

    [Fact]
    public async Task A_pin_that_leads_to_another_map_is_followed()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 5)]);
        Map next = Counters.Clone();
        next.Id = 8;
        agent.Scan = (_, _) =>
        {
            // Replaced after the first scan.
            agent.AllMaps[0] = _scans == 0 ? Counters : next;
            return Responses(Response(_scans == 0 ? 7u : 8u, "", (1, (ulong)(100 * _scans++))));
        };
        Assert.Equal(ExitCode.Done, await RunAsync(agent, "map top pinned /sys/fs/bpf/counters --count 1"));
        Assert.Contains("map 7 is gone, this is map 8", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(100, Assert.Single(Rows()).GetProperty("rate").GetDouble());
    }

    [Theory]
    [InlineData(StatusCode.FailedPrecondition, "MAP_REPLACED")]
    [InlineData(StatusCode.FailedPrecondition, "TOKEN_EXPIRED")]
    [InlineData(StatusCode.Aborted, "SCAN_UNSTABLE")]
    public async Task A_scan_that_has_to_begin_anew_does(StatusCode status, string reason)
    {
        await using ScriptedAgent agent = await StartAsync([(1, 0)], [(1, 8)]);
        Func<LookupBatchRequest, CancellationToken, IAsyncEnumerable<LookupBatchResponse>> scan = agent.Scan;
        bool failed = false;
        agent.Scan = (request, cancellationToken) =>
        {
            (bool fails, failed) = (_scans == 1 && !failed, failed || _scans == 1);
            return fails ? throw ScriptedAgent.Error(status, reason, "begin anew") : scan(request, cancellationToken);
        };
        Assert.Equal(ExitCode.Done, await RunAsync(agent, "map top id 7 --count 1"));
        Assert.Equal(4, Assert.Single(Rows()).GetProperty("rate").GetDouble());
    }

    [Fact]
    public async Task A_map_that_is_gone_for_good_ends_with_3()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 0)]);
        agent.Scan = (_, _) =>
        {
            agent.AllMaps.Clear();
            throw ScriptedAgent.Error(StatusCode.NotFound, "MAP_NOT_FOUND", "no such map");
        };
        Assert.Equal(ExitCode.NotFound, await RunAsync(agent, "map top id 7"));
        Assert.Contains("get map by id (7): No such file or directory", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_denied_scan_ends_with_4()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 0)]);
        agent.Scan = static (_, _) => throw ScriptedAgent.Error(StatusCode.PermissionDenied, "READ_DENIED", "not for you");
        Assert.Equal(ExitCode.PermissionDenied, await RunAsync(agent, "map top id 7"));
    }

    [Fact]
    public async Task On_a_terminal_refreshes_are_drawn_in_place_and_it_is_left_as_it_was()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 1), (2, 2), (3, 3)], [(1, 2), (2, 2), (3, 3)]);
        Terminal screen = Screen with { Height = 6 };
        Assert.Equal(ExitCode.Done, await RunAsync(agent, "map top id 7 --count 1", screen, CancellationToken.None));
        Assert.StartsWith("\e[?1049h\e[?25l\e[?7l\e[H", Output, StringComparison.Ordinal);
        Assert.EndsWith("\e[J\e[?7h\e[?25h\e[?1049l", Output, StringComparison.Ordinal);
        string[] drawn = Output.Split("\e[H")[1..];
        Assert.Equal(3, drawn.Length);
        Assert.Equal("reading the map twice, to know what grows\e[K\e[J", drawn[0]);
        Assert.Equal(6, drawn[2].Split("\r\n").Length);
        Assert.Contains("03           3      3           -\e[K", drawn[1], StringComparison.Ordinal);
        Assert.Contains("01           1      2         1.0\e[K\r\n03           3      3         0.0\e[K", drawn[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_shown_leaves_a_terminal_alone()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 1)]);
        Assert.Equal(ExitCode.NotFound, await RunAsync(agent, "map top id 9", Screen, CancellationToken.None));
        Assert.Empty(Output);
    }

    [Fact]
    public async Task The_key_q_ends_it()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 1)]);
        TaskCompletionSource shown = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Func<LookupBatchRequest, CancellationToken, IAsyncEnumerable<LookupBatchResponse>> scan = agent.Scan;
        agent.Scan = (request, cancellationToken) =>
        {
            if (_scans == 2)
            {
                shown.TrySetResult();
            }

            return scan(request, cancellationToken);
        };
        Terminal screen = Screen with { KeyPressed = key => key == 'q' ? shown.Task : throw new ArgumentOutOfRangeException(nameof(key)) };
        Assert.Equal(ExitCode.Done, await RunAsync(agent, "map top id 7", screen, CancellationToken.None));
        Assert.EndsWith("\e[?1049l", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupt_ends_it_with_130_and_the_terminal_as_it_was()
    {
        await using ScriptedAgent agent = await StartAsync([(1, 1)]);
        using CancellationTokenSource interrupt = new();
        Action cancel = interrupt.Cancel;
        Func<LookupBatchRequest, CancellationToken, IAsyncEnumerable<LookupBatchResponse>> scan = agent.Scan;
        agent.Scan = (request, cancellationToken) =>
        {
            if (_scans == 2)
            {
                cancel();
            }

            return scan(request, cancellationToken);
        };
        Assert.Equal(ExitCode.Interrupted, await RunAsync(agent, "map top id 7", Screen, interrupt.Token));
        Assert.EndsWith("\e[?1049l", Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--interval 99ms", "--interval is at least 100ms, got: 99ms")]
    [InlineData("--interval fast", "--interval is a time")]
    [InlineData("--interval 0s", "--interval is a time")]
    [InlineData("--by size", "--by is one of rate, value, got: 'size'")]
    [InlineData("--percpu each", "--percpu is one of sum, max, got: 'each'")]
    [InlineData("--limit 0", "--limit is a number from 1 to 10000, got: '0'")]
    [InlineData("--once --count 2", "--once contradicts --count")]
    [InlineData("--sort packets", "--sort names a field, and the types of map 7 are not known: give them with --btf")]
    [InlineData("-o csv", "-o csv and -o raw are for entries")]
    [InlineData("more", "what is 'more'?")]
    public async Task A_wrong_command_line_is_refused_with_what_was_expected(string arguments, string message)
    {
        await using ScriptedAgent agent = await StartAsync([(1, 1)]);
        Assert.Equal(ExitCode.Usage, await RunAsync(agent, $"map top id 7 {arguments}"));
        Assert.Contains(message, _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Maps_without_keys_are_refused()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(new Map { Id = 9, Type = MapType.Queue, TypeName = "queue", ValueSize = 8 });
        Assert.Equal(ExitCode.Usage, await RunAsync(agent, "map top id 9"));
        Assert.Contains("map 9 is a queue: its entries have no keys to follow them by", _error.ToString(), StringComparison.Ordinal);
    }

    private static Terminal Screen { get; } = new()
    {
        Output = Stream.Null,
        Error = TextWriter.Null,
        OutputIsTerminal = true,
        CanRedraw = true,
        Width = 80,
        Height = 24,
    };

    private string Output => Encoding.UTF8.GetString(_output.ToArray());

    private JsonElement[] Rows() =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];

    /// <summary>An agent whose map has other entries in each scan; those of the last remain.</summary>
    private async Task<ScriptedAgent> StartAsync(params (byte Key, ulong Value)[][] scans)
    {
        ScriptedAgent agent = await ScriptedAgent.StartAsync(Counters);
        agent.Scan = (_, _) => Responses(Response(7, "", scans[Math.Min(_scans++, scans.Length - 1)]));
        return agent;
    }

    private static void ScanOf(ScriptedAgent agent, TimeSpan kernelTime)
    {
        Func<LookupBatchRequest, CancellationToken, IAsyncEnumerable<LookupBatchResponse>> scan = agent.Scan;
        agent.Scan = (request, cancellationToken) => scan(request, cancellationToken).Select(response =>
        {
            response.Cost.KernelTime = Duration.FromTimeSpan(kernelTime);
            return response;
        });
    }

    private Task<ExitCode> RunAsync(ScriptedAgent agent, string commandLine) =>
        RunAsync(agent, commandLine, Screen with { OutputIsTerminal = false, CanRedraw = false, Width = int.MaxValue }, CancellationToken.None);

    private async Task<ExitCode> RunAsync(ScriptedAgent agent, string commandLine, Terminal terminal, CancellationToken interrupted)
    {
        CommandLine program = new(terminal with { Output = _output, Error = _error }, _clock);
        return (ExitCode)await program.RunAsync($"--address {agent.Address} {commandLine}".Split(' '), interrupted);
    }

    private static LookupBatchResponse Response(uint mapId, string token, params (byte Key, ulong Value)[] entries)
    {
        using MemoryStream keys = new(), values = new();
        foreach ((byte key, ulong value) in entries)
        {
            keys.WriteByte(key);
            values.Write(BitConverter.GetBytes(value));
        }

        return new()
        {
            Count = (uint)entries.Length,
            Keys = ByteString.CopyFrom(keys.ToArray()),
            Values = ByteString.CopyFrom(values.ToArray()),
            ContinuationToken = token,
            Layout = new() { MapId = mapId, KeySize = 1, ValueSize = 8, ValueStride = 8, ValueKind = ValueKind.Raw },
            Cost = new() { Entries = (ulong)entries.Length },
        };
    }

    private static IAsyncEnumerable<LookupBatchResponse> Responses(params LookupBatchResponse[] responses) => responses.ToAsyncEnumerable();
}
