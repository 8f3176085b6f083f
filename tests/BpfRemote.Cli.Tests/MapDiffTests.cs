using System.Text;
using BpfRemote.Btf.Tests;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Cli.Tests;

public sealed class MapDiffTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-cli-diff-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Entries_are_added_removed_and_changed()
    {
        string from = Save("[" + Entry(1, 10) + "," + Entry(2, 20) + "," + Entry(3, 30) + "]");
        string to = Save("[" + Entry(3, 30) + "," + Entry(2, 22) + "," + Entry(4, 40) + "]");
        Assert.Equal(
            new(
                ExitCode.Done,
                "~ 02\n    20 -> 22 (+2)\n+ 04\n    28\n- 01\n    0a\n",
                "1 added, 1 removed, 1 changed, 1 same\n"),
            await Run.Async($"map diff --from {from} --to {to}"));
        Assert.Equal(
            """
            {"kind":"changed","key":["0x02"],"old":["0x14"],"new":["0x16"]}
            {"kind":"added","key":["0x04"],"new":["0x28"]}
            {"kind":"removed","key":["0x01"],"old":["0x0a"]}

            """,
            (await Run.Async($"-o ndjson map diff --from {from} --to {to}")).Output);
    }

    [Theory]
    [InlineData("map diff -q", "1 added, 0 removed, 0 changed, 1 same\n")]
    [InlineData("-j map diff --quiet", "{\"added\":1,\"removed\":0,\"changed\":0,\"same\":1}\n")]
    public async Task Quiet_says_only_how_many(string command, string expected)
    {
        string from = Save(Entry(1, 10)), to = Save(Entry(1, 10) + "\n" + Entry(2, 20));
        Assert.Equal(new(ExitCode.Done, expected, ""), await Run.Async($"{command} --from {from} --to {to}"));
        Assert.Equal(ExitCode.Different, (await Run.Async($"{command} --from {from} --to {to} --exit-code")).ExitCode);
        Assert.Equal(ExitCode.Done, (await Run.Async($"{command} --from {from} --to {from} --exit-code")).ExitCode);
    }

    [Theory]
    [InlineData("[]", "[]", "[]\n")]
    [InlineData("", "[]", "[]\n")]
    public async Task Nothing_is_no_difference(string from, string to, string expected) =>
        Assert.Equal(new(ExitCode.Done, expected, ""), await Run.Async($"-j map diff --from {Save(from)} --to {Save(to)}"));

    [Fact]
    public async Task Dumps_are_read_in_every_form_that_is_printed()
    {
        string array = Save("[" + Entry(1, 10) + "]");
        foreach (string text in (string[])
        [
            Entry(1, 10) + "\n",
            "[{\n    \"key\": [\"0x01\"\n    ],\n    \"value\": [\"0x0a\"\n    ],\n    \"formatted\": {\"key\": 1, \"value\": {\"key\": [1], \"error\": 2}}\n}]\n",
            "[{\"key\":[\"0x00\"],\"value\":{\"error\":\"No such file or directory\"}}," + Entry(1, 10) + "]",
        ])
        {
            Assert.Equal("0 added, 0 removed, 0 changed, 1 same\n", (await Run.Async($"map diff -q --from {array} --to {Save(text)}")).Output);
        }
    }

    [Fact]
    public async Task Dumps_larger_than_any_buffer_are_read()
    {
        StringBuilder text = new("[");
        for (int i = 0; i < 20_000; i++)
        {
            text.Append(i == 0 ? "" : ",").Append(Wide(i, i));
        }

        string from = Save(text + "]");
        string to = Save(text.Replace(Wide(9_999, 9_999), Wide(9_999, 1)) + "]");
        Run run = await Run.Async($"-o ndjson map diff --from {from} --to {to}");
        Assert.Equal($"{{\"kind\":\"changed\",{Wide(9_999, 9_999)[1..^1].Replace("value", "old", StringComparison.Ordinal)},\"new\":{Hex(1)}}}\n", run.Output);

        // One entry larger than the first buffer.
        string huge = $"[{{\"key\":[\"0x01\"],\"value\":[{string.Join(',', Enumerable.Repeat("\"0x07\"", 100_000))}]}}]";
        Assert.Equal("0 added, 0 removed, 0 changed, 1 same\n", (await Run.Async($"map diff -q --from {Save(huge)} --to {Save(huge)}")).Output);

        static string Wide(int key, int value) => $"{{\"key\":{Hex(key)},\"value\":{Hex(value)}}}";

        static string Hex(int number) => $"[{string.Join(',', BitConverter.GetBytes(number).Select(static b => $"\"0x{b:x2}\""))}]";
    }

    [Theory]
    [InlineData("{", "it is no JSON: ")]
    [InlineData("[{\"key\":[\"0x01\"],\"value\":[\"0x01\"]}", "it is no JSON: ")]
    [InlineData("[1]", "it has a Number where an entry, an object, is expected")]
    [InlineData("[[]]", "it has a StartArray where an entry, an object, is expected")]
    [InlineData("{\"error\":\"map gone\"}", "it is not complete: map gone")]
    [InlineData("[{\"id\":1,\"elements\":[]}]", "it is of several maps; dump one by its id")]
    [InlineData("[{\"key\":[\"0x01\"]}]", "object 1 has no key or no value; expected what -j map dump prints")]
    [InlineData("[{\"key\":1,\"value\":{\"a\":2}}]", "entry 1 has a Number where bytes such as [\"0x1f\",\"0x00\"] are expected, as -j map dump prints them")]
    [InlineData("[{\"key\":[\"0x1\"],\"value\":[]}]", "entry 1 has a String where bytes")]
    [InlineData("[{\"key\":[\"zz01\"],\"value\":[]}]", "entry 1 has a String where bytes")]
    [InlineData("[{\"key\":[\"0x01\"],\"value\":{\"packets\":1}}]", "entry 1 has a Number where bytes")]
    [InlineData("[{\"key\":[\"0x01\"],\"values\":{}}]", "entry 1 has a StartObject where bytes")]
    [InlineData("{\"key\":[\"0x01\"],\"value\":[\"0x01\"]}{\"key\":[],\"value\":[\"0x01\"]}", "entry 2 has a key of 0 and a value of 1 bytes, and those before keys of 1")]
    public async Task A_file_that_is_no_dump_is_refused(string text, string expected)
    {
        string path = Save(text);
        Run run = await Run.Async($"map diff --from {path} --to {Save("[]")}");
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.StartsWith($"Error: '{path}' is no dump of a map: {expected}", run.Error, StringComparison.Ordinal);

        Run json = await Run.Async($"-j map diff --from {Save(Entry(1, 1))} --to {path}");
        Assert.Equal(ExitCode.Failed, json.ExitCode);
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(json.Output);
        Assert.StartsWith("'", document.RootElement.EnumerateArray().Last().GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("map diff", "expected --from FILE, --from FILE and --to FILE, or --interval TIME")]
    [InlineData("map diff id 7 --to FILE", "expected --from FILE, --from FILE and --to FILE, or --interval TIME")]
    [InlineData("map diff id 7 --from FILE --interval 1s", "expected --from FILE, --from FILE and --to FILE, or --interval TIME")]
    [InlineData("map diff --from FILE", "expected a map: 'id N', 'name NAME' or 'pinned PATH' on the node")]
    [InlineData("map diff --interval 1s", "expected a map: 'id N', 'name NAME' or 'pinned PATH' on the node")]
    [InlineData("map diff id 7 --from FILE --to FILE", "a map is named, and neither file is a bundle: two dumps are compared without it")]
    [InlineData("map diff id 7 --interval 0s", "--interval is a time of at most a day such as 500ms, 5s, 1.5m or 1h, got: '0s'")]
    [InlineData("map diff id 7 --interval soon", "--interval is a time of at most a day such as 500ms, 5s, 1.5m or 1h, got: 'soon'")]
    [InlineData("map diff id 7 --interval 25h", "--interval is a time of at most a day such as 500ms, 5s, 1.5m or 1h, got: '25h'")]
    [InlineData("-o raw map diff id 7 --interval 1s", "-o csv and -o raw are for entries: map dump and map lookup")]
    public async Task A_wrong_command_line_says_what_was_expected(string commandLine, string message)
    {
        await using ScriptedAgent agent = await StartAsync(1, 1);
        Run run = await Run.Async(agent, commandLine.Replace("FILE", Save("[]"), StringComparison.Ordinal));
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.StartsWith($"Error: {message}\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_map_is_compared_with_itself_a_while_later()
    {
        await using ScriptedAgent agent = await StartAsync(10, 13);
        Assert.Equal(
            new(ExitCode.Done, "~ 01\n    10 -> 13 (+3)\n", "0 added, 0 removed, 1 changed, 0 same\n"), await Run.Async(agent, "map diff id 7 --interval 1ms"));
    }

    [Fact]
    public async Task A_map_is_compared_with_a_bundle_and_bundles_with_each_other()
    {
        string before = System.IO.Path.Combine(_directory.FullName, "before.zip"), after = System.IO.Path.Combine(_directory.FullName, "after.zip");
        await using ScriptedAgent agent = await StartAsync(10, 13, 15);
        await Run.Async(agent, $"bundle create {before} id 7");
        await Run.Async(agent, $"bundle create {after} id 7");
        Assert.Equal("~ 01\n    10 -> 15 (+5)\n", (await Run.Async(agent, $"map diff name small --from {before}")).Output);
        Assert.Equal("~ 01\n    10 -> 13 (+3)\n", (await Run.Async($"map diff id 7 --from {before} --to {after}")).Output);
        Assert.Equal("~ 01\n    13 -> 10 (-3)\n", (await Run.Async($"map diff id 7 --from {after} --to {Save(Entry(1, 10))}")).Output);
        Assert.Equal(ExitCode.NotFound, (await Run.Async($"map diff id 8 --from {before} --to {after}")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await Run.Async($"map diff --from {before} --to {after}")).ExitCode);
    }

    [Fact]
    public async Task A_side_that_fails_never_looks_like_an_answer()
    {
        await using ScriptedAgent agent = await StartAsync(10);
        agent.Scan = static (_, _) => Failing();
        string from = Save(Entry(1, 1));
        Assert.Equal(
            new(
                ExitCode.PermissionDenied,
                "[{\"kind\":\"changed\",\"key\":[\"0x01\"],\"old\":[\"0x01\"],\"new\":[\"0x02\"]},{\"error\":\"not yours\"}]\n",
                ""),
            await Run.Async(agent, $"-j map diff id 7 --from {from}"));
        Run text = await Run.Async(agent, $"map diff id 7 --from {from}");
        Assert.Equal((ExitCode.PermissionDenied, "Error: not yours\n"), (text.ExitCode, text.Error));

        static async IAsyncEnumerable<LookupBatchResponse> Failing()
        {
            yield return Entries(2);
            await Task.Yield();
            throw ScriptedAgent.Error(StatusCode.PermissionDenied, "READ_DENIED", "not yours");
        }
    }

    [Fact]
    public async Task Different_maps_are_not_compared()
    {
        await using ScriptedAgent agent = await StartAsync(10);
        Run run = await Run.Async(agent, $"map diff id 7 --from {Save("{\"key\":[\"0x01\",\"0x02\"],\"value\":[\"0x01\"]}")}");
        Assert.Equal(
            (ExitCode.Failed, "Error: these are different maps: one has keys of 2 and values of 1 bytes, the other keys of 1 and values of 1 bytes\n"),
            (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task Values_of_every_cpu_are_compared_without_what_is_between_them()
    {
        Map map = new() { Id = 7, Name = "cpus", Type = MapType.PercpuHash, TypeName = "percpu_hash", KeySize = 1, ValueSize = 2, ValueStride = 16 };
        Layout layout = new()
        {
            MapId = 7,
            KeySize = 1,
            ValueSize = 2,
            ValueStride = 16,
            ValueKind = ValueKind.PerCpu,
            PossibleCpuIds = { 0, 3 },
            ByteOrder = ByteOrder.BigEndian,
        };
        byte noise = 0;
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(map);
        agent.Scan = (_, _) =>
        {
            noise++;
            return ((LookupBatchResponse[])[new()
            {
                Count = 2,
                Keys = ByteString.CopyFrom(1, 2),
                Values = ByteString.CopyFrom([
                    0, 1, noise, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, noise,
                    0, 5, noise, 0, 0, 0, 0, 0, 0, noise, 0, 0, 0, 0, 0, noise]),
                Layout = layout,
                Cost = new(),
            }]).ToAsyncEnumerable();
        };
        Assert.Equal(
            new(ExitCode.Done, "~ 02\n    cpu3 1 -> 2 (+1)\n", "0 added, 0 removed, 1 changed, 1 same\n"), await Run.Async(agent, "map diff id 7 --interval 1ms"));
        Assert.Equal(
            "[{\"kind\":\"changed\",\"key\":[\"0x02\"],"
            + "\"old\":[{\"cpu\":0,\"value\":[\"0x00\",\"0x05\"]},{\"cpu\":3,\"value\":[\"0x00\",\"0x03\"]}],"
            + "\"new\":[{\"cpu\":0,\"value\":[\"0x00\",\"0x05\"]},{\"cpu\":3,\"value\":[\"0x00\",\"0x04\"]}]}]\n",
            (await Run.Async(agent, "-j map diff id 7 --interval 1ms")).Output);

        // As dumped: the same shape, whatever the CPUs are called.
        string dump = Save((await Run.Async(agent, "-j map dump id 7")).Output);
        Assert.Equal("0 added, 0 removed, 1 changed, 1 same\n", (await Run.Async(agent, $"map diff -q id 7 --from {dump}")).Output);
    }

    [Fact]
    public async Task Fields_that_changed_are_named()
    {
        BtfWriter types = new();
        uint u8 = types.Int("unsigned char", 1), u16 = types.Int("unsigned short", 2), u32 = types.Int("unsigned int", 4);
        uint hits = types.Struct("hits", 8, ("good", u32, 0), ("bad", u32, 32));
        uint value = types.Struct(
            "value", 32, ("count", u32, 0), ("saddr", types.Typedef("__be32", u32), 32), ("hits", types.Array(hits, 2, u32), 64), ("name", types.Array(u8, 4, u32), 192), ("last", u16, 224));
        string btf = System.IO.Path.Combine(_directory.FullName, "types.btf");
        await File.WriteAllBytesAsync(btf, types.ToArray(), TestContext.Current.CancellationToken);

        Map map = new() { Id = 7, Name = "typed", Type = MapType.Hash, TypeName = "hash", KeySize = 4, ValueSize = 32, ValueStride = 32 };
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(map);
        byte[] now =
        [
            7, 0, 0, 0, 10, 0, 0, 1, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0,
        ];
        byte[] old = [.. now];
        (old[0], old[7], old[16], old[30]) = (9, 2, 1, 77);
        Queue<byte[]> values = new([old, now, old, now]);
        agent.Scan = (_, _) => ((LookupBatchResponse[])[new()
        {
            Count = 1,
            Keys = ByteString.CopyFrom(5, 0, 0, 0),
            Values = ByteString.CopyFrom(values.Dequeue()),
            Layout = new() { MapId = 7, KeySize = 4, ValueSize = 32, ValueStride = 32, ValueKind = ValueKind.Raw },
            Cost = new(),
        }]).ToAsyncEnumerable();
        string[] command = ["map", "diff", "id", "7", "--interval", "1ms", "--btf", btf, "--value-type", "struct value", "--key-type", "unsigned int"];
        Run text = await Run.Async(agent, command);
        Assert.Equal(
            "~ 5\n    count: 9 -> 7 (-2)\n    saddr: 10.0.0.2 -> 10.0.0.1\n    hits[1].good: 1 -> 3 (+2)\n",
            text.Output);
        Run json = await Run.Async(agent, ["-j", .. command]);
        Assert.Contains("\"formatted\":{\"key\":5,\"old\":{\"count\":9,", json.Output, StringComparison.Ordinal);
        Assert.Contains("\"new\":{\"count\":7,", json.Output, StringComparison.Ordinal);
    }

    private static string Entry(byte key, byte value) => $"{{\"key\":[\"0x{key:x2}\"],\"value\":[\"0x{value:x2}\"]}}";

    private string Save(string text)
    {
        string path = System.IO.Path.Combine(_directory.FullName, System.IO.Path.GetRandomFileName());
        File.WriteAllText(path, text);
        return path;
    }

    // Its one entry has one value after the other, scan by scan.
    private static async Task<ScriptedAgent> StartAsync(params byte[] values)
    {
        ScriptedAgent agent = await ScriptedAgent.StartAsync(
            new Map { Id = 7, Name = "small", Type = MapType.Hash, TypeName = "hash", KeySize = 1, ValueSize = 1, ValueStride = 1, MaxEntries = 8 });
        Queue<byte> next = new(values);
        agent.Scan = (_, _) => ((LookupBatchResponse[])[Entries(next.Dequeue())]).ToAsyncEnumerable();
        return agent;
    }

    private static LookupBatchResponse Entries(byte value) => new()
    {
        Count = 1,
        Keys = ByteString.CopyFrom(1),
        Values = ByteString.CopyFrom(value),
        Layout = new() { MapId = 7, KeySize = 1, ValueSize = 1, ValueStride = 1, ValueKind = ValueKind.Raw },
        Cost = new(),
    };
}
