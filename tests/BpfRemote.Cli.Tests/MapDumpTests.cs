using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Cli.Tests;

public sealed class MapDumpTests
{
    private static readonly Map Small = new()
    {
        Id = 7,
        Name = "small",
        Type = MapType.Hash,
        TypeName = "hash",
        KeySize = 1,
        ValueSize = 1,
        ValueStride = 1,
        MaxEntries = 8,
        MaxLookupKeys = 1000,
        PinnedPaths = { "/sys/fs/bpf/small" },
    };

    private static readonly Layout SmallLayout = new() { MapId = 7, KeySize = 1, ValueSize = 1, ValueStride = 1, ValueKind = ValueKind.Raw };

    [Fact]
    public async Task A_dump_prints_every_response()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = static (_, _) => Responses(Entries("t1", 1, 2), Entries("t2"), Entries("", 3));
        Assert.Equal(
            new(ExitCode.Done, "{\"key\":[\"0x01\"],\"value\":[\"0x01\"]}\n{\"key\":[\"0x02\"],\"value\":[\"0x02\"]}\n{\"key\":[\"0x03\"],\"value\":[\"0x03\"]}\n", ""),
            await Run.Async(agent, "-o ndjson map dump id 7"));
    }

    /// <remarks>Entries of which many fill a buffer and leave a rest, and entries larger than one.</remarks>
    [Theory]
    [InlineData(3, 5, 20_000)]
    [InlineData(8, 70_000, 3)]
    public async Task Raw_is_key_and_value_of_each_entry_with_nothing_between(int keySize, int valueSize, int count)
    {
        byte[] keys = new byte[count * keySize];
        byte[] values = new byte[count * valueSize];
        Random random = new(Seed: 1);
        random.NextBytes(keys);
        random.NextBytes(values);
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = (_, _) => Responses(new LookupBatchResponse
        {
            Count = (uint)count,
            Keys = ByteString.CopyFrom(keys),
            Values = ByteString.CopyFrom(values),
            Layout = new() { MapId = 7, KeySize = (uint)keySize, ValueSize = (uint)valueSize, ValueStride = (uint)valueSize, ValueKind = ValueKind.Raw },
        });
        using MemoryStream output = new();
        CommandLine program = new(new() { Output = output, Error = TextWriter.Null });

        Assert.Equal(
            (int)ExitCode.Done,
            await program.RunAsync(["--address", agent.Address, "-o", "raw", "map", "dump", "id", "7"], TestContext.Current.CancellationToken));

        byte[] expected =
            [.. Enumerable.Range(0, count).SelectMany(i => keys.Skip(i * keySize).Take(keySize).Concat(values.Skip(i * valueSize).Take(valueSize)))];
        Assert.Equal(expected, output.ToArray());
    }

    [Fact]
    public async Task Options_of_a_dump_reach_the_agent()
    {
        LookupBatchRequest? seen = null;
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = (request, _) =>
        {
            seen = request;
            return Responses(Entries("", 1));
        };
        await Run.Async(agent, "map dump pinned /sys/fs/bpf/small --limit 5 --batch-size 2 --pace full --resume abc");
        Assert.Equal(
            new()
            {
                Map = new() { PinnedPath = "/sys/fs/bpf/small" },
                Limit = 5,
                BatchSize = 2,
                Pace = Pace.Full,
                ContinuationToken = "abc",
            },
            seen);
    }

    [Fact]
    public async Task A_reached_limit_is_done_and_says_how_to_resume()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = static (_, _) => Responses(Entries("t1", 1), Entries("t2", 2));
        Assert.Equal(
            new(ExitCode.Done, "[{\"key\":[\"0x01\"],\"value\":[\"0x01\"]},{\"key\":[\"0x02\"],\"value\":[\"0x02\"]}]\n", "resume with: --resume t2\n"),
            await Run.Async(agent, "-j map dump id 7 --limit 2"));
    }

    [Fact]
    public async Task What_a_dump_says_stands_below_its_progress_bar_and_is_not_drawn_over()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = static (_, _) => Responses(Entries("t1", 1), Entries("t2", 2));
        using StringWriter error = new();
        CommandLine program = new(new() { Output = new MemoryStream(), Error = error, ErrorIsTerminal = true });
        Assert.Equal((int)ExitCode.Done, await program.RunAsync(
            ["--address", agent.Address, "map", "dump", "id", "7", "--limit", "2"], TestContext.Current.CancellationToken));
        Assert.Contains("small", error.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("1 entry\nresume with: --resume t2\n", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_progress_bar_is_drawn_where_another_program_may_write()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = static (_, _) => Responses(Entries("", 1));
        using StringWriter error = new();
        CommandLine program = new(new() { Output = new MemoryStream(), Error = error, ErrorIsTerminal = true, OutputIsPipe = true });
        await program.RunAsync(["--address", agent.Address, "map", "dump", "id", "7"], TestContext.Current.CancellationToken);
        Assert.Equal("1 entry\n", error.ToString());
    }

    [Fact]
    public async Task A_failed_dump_is_closed_json_with_an_error_and_the_token_of_what_was_written()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = static (_, _) => Responses(Entries("t1", 1)).Concat(
            Failing(ScriptedAgent.Error(StatusCode.Aborted, "SCAN_UNSTABLE", "too many restarts")));
        Assert.Equal(
            new(ExitCode.Failed, "[{\"key\":[\"0x01\"],\"value\":[\"0x01\"]},{\"error\":\"too many restarts\"}]\n", "resume with: --resume t1\n"),
            await Run.Async(agent, "-j map dump id 7"));
        Assert.Equal(
            new(ExitCode.Failed, "key,value\n0x01,0x01\n", "Error: too many restarts\nresume with: --resume t1\n"),
            await Run.Async(agent, "-o csv map dump id 7"));
    }

    [Fact]
    public async Task A_refused_token_is_not_offered_again()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = static (_, _) => Failing(ScriptedAgent.Error(StatusCode.FailedPrecondition, "TOKEN_EXPIRED", "begin anew"));
        Assert.Equal(new(ExitCode.Failed, "", "Error: begin anew\n"), await Run.Async(agent, "map dump id 7 --resume old"));
    }

    [Fact]
    public async Task A_denied_dump_ends_with_4()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = static (_, _) => Failing(ScriptedAgent.Error(StatusCode.PermissionDenied, "READ_DENIED", "not for you"));
        Assert.Equal(new(ExitCode.PermissionDenied, "{\"error\":\"not for you\"}\n", ""), await Run.Async(agent, "-j map dump id 7"));
    }

    [Fact]
    public async Task An_interrupted_dump_ends_with_130_and_the_token_of_what_was_written()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = static (_, cancellationToken) => Responses(Entries("t1", 1)).Concat(Never(cancellationToken));
        using CancellationTokenSource interrupt = new();
        using WatchedStream output = new(interrupt.Cancel);
        Run run = await Run.Async($"--address {agent.Address} -j map dump id 7", output, interrupt.Token);
        Assert.Equal(
            new(ExitCode.Interrupted, "[{\"key\":[\"0x01\"],\"value\":[\"0x01\"]},{\"error\":\"interrupted\"}]\n", "resume with: --resume t1\n"),
            run);
    }

    [Fact]
    public async Task A_reader_that_goes_away_ends_the_dump_without_a_word()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = static (_, cancellationToken) => Responses(Entries("t1", 1)).Concat(Never(cancellationToken));
        using WatchedStream output = new(static () => throw new IOException("Broken pipe", 32));
        Run run = await Run.Async($"--address {agent.Address} -o ndjson map dump id 7", output, CancellationToken.None);
        Assert.Equal((ExitCode.OutputClosed, ""), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task A_full_disk_is_told_with_the_token_of_what_was_written()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = static (_, cancellationToken) => Responses(Entries("t1", 1)).Concat(Never(cancellationToken));
        using WatchedStream output = new(static () => throw new IOException("No space left on device", 28));
        Run run = await Run.Async($"--address {agent.Address} map dump id 7 --resume t0", output, CancellationToken.None);
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Equal("Error: can't write to standard output: No space left on device\nresume with: --resume t0\n", run.Error);
    }

    [Fact]
    public async Task A_disk_that_fills_up_later_is_told_with_the_token_of_the_last_whole_response()
    {
        byte[] many = new byte[20_000]; // 680,000 bytes of text, of which the first are written while the last are made
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = (_, cancellationToken) => Responses(Entries("t1", many), Entries("t2", many)).Concat(Never(cancellationToken));
        using FullStream output = new(room: 1_000_000);
        Run run = await Run.Async($"--address {agent.Address} -o ndjson map dump id 7", output, CancellationToken.None);
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Equal("Error: can't write to standard output: No space left on device\nresume with: --resume t1\n", run.Error);
    }

    [Fact]
    public async Task Resuming_several_maps_at_once_is_a_usage_error()
    {
        Map twin = Small.Clone();
        twin.Id = 8;
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small, twin);
        Run run = await Run.Async(agent, "map dump name small --resume t1");
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("--resume is for one map, and the name fits 2: select by id", run.Error, StringComparison.Ordinal);
    }

    private static LookupBatchResponse Entries(string token, params byte[] keysAndValues) => new()
    {
        Count = (uint)keysAndValues.Length,
        Keys = ByteString.CopyFrom(keysAndValues),
        Values = ByteString.CopyFrom(keysAndValues),
        ContinuationToken = token,
        Layout = SmallLayout,
        Cost = new() { Entries = (ulong)keysAndValues.Length },
    };

    private static IAsyncEnumerable<LookupBatchResponse> Responses(params LookupBatchResponse[] responses) => responses.ToAsyncEnumerable();

    private static IAsyncEnumerable<LookupBatchResponse> Failing(RpcException error) =>
        AsyncEnumerable.Repeat(error, 1).Select<RpcException, LookupBatchResponse>(static error => throw error);

    private static async IAsyncEnumerable<LookupBatchResponse> Never(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        yield break;
    }

    /// <summary>Takes so many bytes and no more.</summary>
    private sealed class FullStream(int room) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            if (Length + count > room)
            {
                throw new IOException("No space left on device", 28);
            }

            base.Write(buffer, offset, count);
        }
    }

    /// <summary>Calls back when the first bytes arrive.</summary>
    private sealed class WatchedStream(Action onFirstWrite) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            bool first = Length == 0 && count > 0;
            base.Write(buffer, offset, count);
            if (first)
            {
                onFirstWrite();
            }
        }
    }
}
