using System.Text.Json;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Cli.Tests;

/// <summary><c>bundle create</c>, <c>bundle inspect</c>, and reading commands on a bundle.</summary>
public sealed class BundleCommandTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-cli-bundle-");

    private string Path => System.IO.Path.Combine(_directory.FullName, "case.zip");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Every_reading_command_prints_the_same_from_a_bundle()
    {
        string[] commands =
        [
            "-j map list", "-j -f map show id 7", "-p map dump name seven", "-o ndjson map dump pinned /sys/fs/bpf/seven", "-o csv map dump id 7",
            "-o raw map dump id 7", "map dump id 7", "-j map lookup id 7 key 2", "map show id 7",
        ];
        await using ScriptedAgent agent = await StartAsync();
        Assert.Equal(ExitCode.Done, (await Run.Async(agent, $"bundle create {Path} --all")).ExitCode);
        foreach (string command in commands)
        {
            Assert.Equal(await Run.Async(agent, command), await Run.Async($"--address file:{Path} {command}"));
        }

        Assert.Contains("3", (await Run.Async($"--address file:{Path} map count id 7")).Output, StringComparison.Ordinal);
        Assert.StartsWith("Node node7\n", (await Run.Async($"--address file:{Path} node show")).Output, StringComparison.Ordinal);
        Assert.StartsWith(
            "KEY (HEX)  KEY  VALUE", (await Run.Async($"--address file:{Path} map top id 7 --once --by value")).Output, StringComparison.Ordinal);
        Assert.Equal(
            new(ExitCode.Done, "", "0 added, 0 removed, 0 changed, 3 same\n"), await Run.Async($"--address file:{Path} map diff id 7 --interval 1ms"));
    }

    [Fact]
    public async Task What_a_bundle_does_not_hold_is_said()
    {
        await using ScriptedAgent agent = await StartAsync();
        await Run.Async(agent, $"bundle create {Path} id 7 --max-entries 2");
        Run dump = await Run.Async($"--address file:{Path} -j map dump id 7");
        Assert.Equal(ExitCode.Failed, dump.ExitCode);
        Assert.Equal(
            "the bundle holds only the first 2 entries of map 7: it was stopped by the limit of 2 entries of a map",
            JsonDocument.Parse(dump.Output).RootElement[2].GetProperty("error").GetString());
        Assert.Equal(
            new(ExitCode.Failed, "{\"error\":\"the bundle holds no entries of map 8: not chosen\"}\n", ""),
            await Run.Async($"--address file:{Path} -j map dump id 8"));
        Assert.Equal(
            new(ExitCode.Done, "{\"key\":[\"0x02\"],\"value\":[\"0x02\"]}\n", ""), await Run.Async($"--address file:{Path} -j map lookup id 7 key 2"));
        Assert.Equal(ExitCode.Failed, (await Run.Async($"--address file:{Path} -j map lookup id 7 key 3")).ExitCode);
        Assert.Equal(ExitCode.NotFound, (await Run.Async($"--address file:{Path} -j map dump id 9")).ExitCode);
    }

    [Fact]
    public async Task A_bundle_is_inspected()
    {
        await using ScriptedAgent agent = await StartAsync();
        Run created = await Run.Async(agent, $"bundle create {Path} name seven");
        Run inspected = await Run.Async($"bundle inspect {Path}");
        Assert.Equal((ExitCode.Done, created.Output), (inspected.ExitCode, inspected.Output));
        Assert.Contains("  Maps  2, of which 1 with all entries and 0 with some\n", inspected.Output, StringComparison.Ordinal);
        Assert.EndsWith(
            """
            ID  TYPE  NAME   ENTRIES  SIZE  HELD
             7  hash  seven        3   6 B  all
             8  hash  eight        0   0 B  none: not chosen

            """,
            inspected.Output,
            StringComparison.Ordinal);

        JsonElement json = JsonDocument.Parse((await Run.Async($"-j bundle inspect {Path}")).Output).RootElement;
        Assert.Equal(("node7", 1), (json.GetProperty("hostname").GetString(), json.GetProperty("format").GetInt32()));
        JsonElement map = json.GetProperty("maps")[0];
        Assert.Equal((7, 3, 6, true), (
            map.GetProperty("id").GetInt32(), map.GetProperty("entries").GetInt32(), map.GetProperty("bytes").GetInt32(), map.GetProperty("complete").GetBoolean()));
    }

    [Fact]
    public async Task The_deny_list_grows_and_can_be_replaced()
    {
        await using ScriptedAgent agent = await StartAsync();
        agent.AllMaps[1].Name = "tokens";
        Assert.Equal("its name fits '*token*' of the deny list", await ReasonAsync(""));
        Assert.Equal("its name fits 'TOK*' of the deny list", await ReasonAsync("--deny TOK* --deny x"));
        Assert.Null(await ReasonAsync("--no-default-deny"));
        Assert.Equal("its name fits 't*' of the deny list", await ReasonAsync("--no-default-deny --deny t*"));
        Assert.Equal("no entries were asked for", await ReasonAsync("--no-default-deny --no-entries"));

        async Task<string?> ReasonAsync(string options)
        {
            Run run = await Run.Async(agent, $"-j bundle create {Path} {(options.Contains("--no-entries", StringComparison.Ordinal) ? "" : "--all")} {options}");
            Assert.Equal(ExitCode.Done, run.ExitCode);
            return JsonDocument.Parse(run.Output).RootElement.GetProperty("maps")[1].TryGetProperty("reason", out JsonElement reason) ? reason.GetString() : null;
        }
    }

    [Theory]
    [InlineData("bundle create", "expected a file to write")]
    [InlineData("bundle create FILE", "expected the maps whose entries to put in, or --all, or --no-entries")]
    [InlineData("bundle create FILE id 7 --all", "expected the maps whose entries to put in, or --all, or --no-entries")]
    [InlineData("bundle create FILE --all --deny [", "'[' is no glob of names: '[' without ']'.")]
    [InlineData("bundle create FILE --all --max-bytes 5X", "--max-bytes is a number of bytes such as 5000, 64K, 64M or 1G, got: '5X'")]
    [InlineData("bundle create FILE --all --max-total 99999999999G", "--max-total is a number of bytes such as 5000, 64K, 64M or 1G, got: '99999999999G'")]
    [InlineData("bundle inspect", "expected a bundle: FILE")]
    [InlineData("bundle inspect FILE more", "what is 'more'?")]
    [InlineData("-o csv bundle inspect FILE", "-o csv and -o raw are for entries: map dump and map lookup")]
    [InlineData("--address file: map list", "Cannot use the address 'file:': it is not an address. Expected unix:///path, https://host:port, http://127.0.0.1:port with Plaintext, or file:PATH of a bundle.")]
    public async Task A_wrong_command_line_says_what_was_expected(string commandLine, string message)
    {
        await using ScriptedAgent agent = await StartAsync();
        string words = commandLine.Replace("FILE", Path, StringComparison.Ordinal);
        Run run = words.Contains("--address", StringComparison.Ordinal) ? await Run.Async(words) : await Run.Async(agent, words);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.StartsWith($"Error: {message}\n", run.Error, StringComparison.Ordinal);
        Assert.Empty(_directory.GetFiles());
    }

    [Fact]
    public async Task Files_that_cannot_be_used_fail_the_command()
    {
        await using ScriptedAgent agent = await StartAsync();
        Run inspect = await Run.Async($"bundle inspect {Path}");
        Assert.Equal(ExitCode.Failed, inspect.ExitCode);
        Assert.StartsWith($"Error: can't read '{Path}': ", inspect.Error, StringComparison.Ordinal);
        Run create = await Run.Async(agent, $"bundle create {Path}/none/case.zip --all");
        Assert.Equal(ExitCode.Failed, create.ExitCode);
        Assert.StartsWith($"Error: can't write '{Path}/none/case.zip': ", create.Error, StringComparison.Ordinal);
        Run list = await Run.Async($"--address file:{Path} map list");
        Assert.Equal(ExitCode.Failed, list.ExitCode);
        Assert.StartsWith($"Error: can't read the bundle at file:{Path}: ", list.Error, StringComparison.Ordinal);

        await File.WriteAllTextAsync(Path, "[]", TestContext.Current.CancellationToken);
        foreach (string command in (string[])[$"--address file:{Path} map list", $"bundle inspect {Path}"])
        {
            Run run = await Run.Async(command);
            Assert.Equal(ExitCode.Failed, run.ExitCode);
            Assert.StartsWith($"Error: '{Path}' is no bundle, which is a ZIP file: ", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_map_that_fails_does_not_fail_the_others()
    {
        await using ScriptedAgent agent = await StartAsync();
        var scan = agent.Scan;
        agent.Scan = (request, cancellationToken) => request.Map.Id == 7
            ? throw ScriptedAgent.Error(StatusCode.PermissionDenied, "READ_DENIED", "not yours")
            : scan(request, cancellationToken);
        Run run = await Run.Async(agent, $"bundle create {Path} --all");
        Assert.Equal(ExitCode.Done, run.ExitCode);
        Assert.Contains("none: the agent answered READ_DENIED: not yours", run.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, (await Run.Async($"--address file:{Path} map dump id 8")).ExitCode);
    }

    private static async Task<ScriptedAgent> StartAsync()
    {
        ScriptedAgent agent = await ScriptedAgent.StartAsync(Describe(7, "seven"), Describe(8, "eight"));
        agent.Scan = static (request, _) => ((LookupBatchResponse[])[Entries(request.Map, "more", 1, 2), Entries(request.Map, "", 3)]).ToAsyncEnumerable();
        agent.Lookup = static request => new() { Layout = LayoutOf(7), Found = { true }, Values = request.Keys };
        return agent;
    }

    private static Map Describe(uint id, string name) => new()
    {
        Id = id,
        Name = name,
        Type = MapType.Hash,
        TypeName = "hash",
        KeySize = 1,
        ValueSize = 1,
        ValueStride = 1,
        MaxEntries = 8,
        MaxLookupKeys = 1000,
        PinnedPaths = { $"/sys/fs/bpf/{name}" },
    };

    private static LookupBatchResponse Entries(MapSelector map, string token, params byte[] bytes) => new()
    {
        Count = (uint)bytes.Length,
        Keys = ByteString.CopyFrom(bytes),
        Values = ByteString.CopyFrom(bytes),
        ContinuationToken = token,
        Layout = LayoutOf(map.SelectorCase == MapSelector.SelectorOneofCase.Id ? map.Id : 7),
        Cost = new() { Entries = bytes[^1] },
    };

    private static Layout LayoutOf(uint id) => new() { MapId = id, KeySize = 1, ValueSize = 1, ValueStride = 1, ValueKind = ValueKind.Raw };
}
