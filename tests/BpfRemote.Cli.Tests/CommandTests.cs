using System.Text.Json;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Cli.Tests;

/// <summary>The commands other than <c>map dump</c>.</summary>
public sealed class CommandTests
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

    [Theory]
    [InlineData("map list")]
    [InlineData("map show")]
    [InlineData("map")]
    [InlineData("m l")]
    public async Task Maps_are_listed_by_every_spelling(string command)
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        Run run = await Run.Async(agent, $"-j {command}");
        Assert.Equal(ExitCode.Done, run.ExitCode);
        Assert.StartsWith("[{\"id\":7,\"type\":\"hash\",\"name\":\"small\"", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_selected_map_is_an_object_and_several_are_an_array()
    {
        Map twin = Small.Clone();
        twin.Id = 8;
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small, twin);
        Assert.StartsWith("{\"id\":7,", (await Run.Async(agent, "-j map show id 7")).Output, StringComparison.Ordinal);
        Run both = await Run.Async(agent, "-j map show name small");
        Assert.Equal([7, 8], JsonDocument.Parse(both.Output).RootElement.EnumerateArray().Select(static map => map.GetProperty("id").GetInt32()));
    }

    [Theory]
    [InlineData("id 9", "get map by id (9): No such file or directory")]
    [InlineData("name other", "get map by name (other): No such file or directory")]
    [InlineData("pinned /sys/fs/bpf/other", "bpf obj get (/sys/fs/bpf/other): No such file or directory")]
    public async Task A_map_that_is_not_there_ends_with_3(string selector, string message)
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        foreach (string command in (string[])["show", "dump", "count", "lookup"])
        {
            string key = command == "lookup" ? " key 1" : "";
            Assert.Equal(
                new(ExitCode.NotFound, $"{{\"error\":\"{message}\"}}\n", ""), await Run.Async(agent, $"-j map {command} {selector}{key}"));
        }
    }

    [Fact]
    public async Task A_lookup_prints_the_entry()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Lookup = static request => new()
        {
            Layout = SmallLayout,
            Found = { request.Keys[0] == 1 },
            Values = ByteString.CopyFrom((byte)(request.Keys[0] == 1 ? 42 : 0)),
        };
        Assert.Equal(new(ExitCode.Done, "{\"key\":[\"0x01\"],\"value\":[\"0x2a\"]}\n", ""), await Run.Async(agent, "-j map lookup id 7 key 1"));
        Assert.Equal(new(ExitCode.NotFound, "null\n", ""), await Run.Async(agent, "-j map lookup id 7 key 2"));
        Assert.Equal(new(ExitCode.NotFound, "", "Error: key not found\n"), await Run.Async(agent, "map lookup id 7 key 2"));
        Assert.Equal(
            new(ExitCode.Usage, "{\"error\":\"key expected 1 bytes got 2\"}\n", ""), await Run.Async(agent, "-j map lookup id 7 key 1 2"));
    }

    [Fact]
    public async Task A_refused_value_is_told_in_bpftools_words()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Lookup = static _ => throw ScriptedAgent.Error(
            StatusCode.FailedPrecondition, "MAP_NOT_READABLE", "the kernel refuses", ("errno", "ENOTSUPP"));
        Assert.Equal(
            new(ExitCode.Failed, "{\"error\":\"lookup failed: Unknown error 524\"}\n", ""), await Run.Async(agent, "-j map lookup id 7 key 1"));
    }

    [Fact]
    public async Task A_lookup_without_a_key_shows_a_queues_next_value()
    {
        Map queue = new() { Id = 9, Name = "queue", Type = MapType.Queue, TypeName = "queue", ValueSize = 1, ValueStride = 1 };
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(queue);
        agent.Scan = static (_, _) => Responses(
            new LookupBatchResponse { Count = 1, Values = ByteString.CopyFrom(5), Layout = new() { ValueSize = 1, ValueStride = 1 }, Cost = new() });
        Assert.Equal(new(ExitCode.Done, "{\"key\":[],\"value\":[\"0x05\"]}\n", ""), await Run.Async(agent, "-j map lookup id 9"));
        Assert.Equal(new(ExitCode.Usage, "{\"error\":\"unnecessary key\"}\n", ""), await Run.Async(agent, "-j map lookup id 9 key 1"));
    }

    [Fact]
    public async Task A_lookup_by_a_name_of_several_maps_names_them()
    {
        Map twin = Small.Clone();
        twin.Id = 8;
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small, twin);
        Assert.Equal(
            new(ExitCode.Failed, "{\"error\":\"several maps match this handle: id 7, id 8\"}\n", ""),
            await Run.Async(agent, "-j map lookup name small key 1"));
    }

    [Fact]
    public async Task A_count_asks_for_nothing_but_the_number()
    {
        Include? include = null;
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync(Small);
        agent.Scan = (request, _) =>
        {
            include = request.Include;
            return Responses(new LookupBatchResponse { Count = 3, Layout = SmallLayout, Cost = new() { Entries = 3, NativeCalls = 1 } });
        };
        Run run = await Run.Async(agent, "-j map count id 7");
        Assert.Equal(Include.CountOnly, include);
        Assert.Equal("{\"id\":7,\"type\":\"hash\",\"name\":\"small\",\"flags\":0,\"entries\":3,\"native_calls\":1,\"kernel_time_us\":0}\n", run.Output);
    }

    [Fact]
    public async Task A_node_is_shown()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartAsync();
        Run card = await Run.Async(agent, "node show");
        Assert.StartsWith("Node node7\n  Kernel    6.18.0\n", card.Output, StringComparison.Ordinal);
        Assert.Contains("4 possible (0-2,8)", card.Output, StringComparison.Ordinal);

        using JsonDocument json = JsonDocument.Parse((await Run.Async(agent, "-j node show")).Output);
        Assert.Equal(
            Node.Descriptor.Fields.InFieldNumberOrder().Select(static field => field.Name),
            json.RootElement.EnumerateObject().Select(static member => member.Name));
    }

    private static IAsyncEnumerable<LookupBatchResponse> Responses(params LookupBatchResponse[] responses) => responses.ToAsyncEnumerable();
}
