using BpfRemote.Btf.Tests;
using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.Cli.Tests;

/// <summary>Where the types of dumps and lookups come from.</summary>
public sealed class SchemaOptionsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("bpfremote-types-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Types_of_the_map_itself_are_used()
    {
        await using ScriptedAgent agent = await ServeAsync(hasTypes: true);
        Run run = await Run.Async(agent, "map dump id 7");
        Assert.Equal("saddr     dport  packets  comm     state\n10.0.0.1    443        7  \"hi\\\",\"  OPEN\n", run.Output);
    }

    [Fact]
    public async Task Without_types_there_are_bytes()
    {
        await using ScriptedAgent agent = await ServeAsync(hasTypes: true);
        Run run = await Run.Async(agent, "map dump id 7 --no-btf");
        Assert.StartsWith("KEY (HEX)", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("formatted", (await Run.Async(agent, "-j map dump id 7 --no-btf")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "The types of map 7 are not to be had: the kernel has no such BTF object. Its entries are shown as bytes.")]
    [InlineData(true, "The types of map 7 cannot be used: ")]
    public async Task Types_that_cannot_be_used_are_said_and_hinder_nothing(bool damaged, string expected)
    {
        await using ScriptedAgent agent = await ServeAsync(hasTypes: true);
        agent.Btf = damaged ? [1, 2, 3] : null;
        Run run = await Run.Async(agent, "map dump id 7");
        Assert.Equal(ExitCode.Done, run.ExitCode);
        Assert.StartsWith("KEY (HEX)", run.Output, StringComparison.Ordinal);
        Assert.StartsWith(expected, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--btf {0}/types.btf --key-type key --value-type value")]
    [InlineData("--btf {0}/types.btf --value-type value")]
    [InlineData("--btf {0}/types.btf")]
    [InlineData("--schema-dir {0}")]
    public async Task A_map_without_types_is_given_some(string options)
    {
        await using ScriptedAgent agent = await ServeAsync(hasTypes: false);
        await WriteTypesAsync();
        Run run = await Run.Async(agent, $"map lookup id 7 key 10 0 0 1 1 187 0 0 {options.Replace("{0}", _directory, StringComparison.Ordinal)}");
        Assert.Contains("OPEN", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_make_the_key_of_a_lookup()
    {
        await using ScriptedAgent agent = await ServeAsync(hasTypes: true);
        Run run = await Run.Async(agent, "-j map lookup id 7 key saddr=10.0.0.1 dport=443");
        Assert.Equal(ExitCode.Done, run.ExitCode);
        Assert.Contains("\"formatted\":{\"key\":{\"saddr\":16777226,", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--key-type a", "--key-type and --value-type name types of a file: --btf FILE is missing")]
    [InlineData("--btf x --key-type a", "--key-type is not enough: --value-type is missing")]
    [InlineData("--btf x --no-btf", "--no-btf contradicts --btf")]
    public async Task Options_that_contradict_each_other_are_refused(string options, string message)
    {
        await using ScriptedAgent agent = await ServeAsync(hasTypes: true);
        Run run = await Run.Async(agent, $"map dump id 7 {options}");
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--btf {0}/none.o", "Cannot read types from {0}/none.o: ")]
    [InlineData("--btf {0}/types.btf --value-type valu", "There is no type 'valu'. Did you mean value?")]
    [InlineData("--schema-dir {0}/none", "Cannot read the schema directory {0}/none: ")]
    public async Task Types_that_are_not_there_are_said(string options, string message)
    {
        await using ScriptedAgent agent = await ServeAsync(hasTypes: false);
        await WriteTypesAsync();
        Run run = await Run.Async(agent, $"map dump id 7 {options.Replace("{0}", _directory, StringComparison.Ordinal)}");
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Contains(message.Replace("{0}", _directory, StringComparison.Ordinal), run.Error, StringComparison.Ordinal);
    }

    private Task WriteTypesAsync()
    {
        BtfWriter types = Typed.Types(out uint key, out uint value);
        uint definition = types.Struct("", 16, ("key", types.Ptr(key), 0), ("value", types.Ptr(value), 64));
        types.DataSec(".maps", 16, (types.Var("connections", definition, 1), 0, 16));
        return File.WriteAllBytesAsync(Path.Combine(_directory, "types.btf"), types.ToArray(), TestContext.Current.CancellationToken);
    }

    private static async Task<ScriptedAgent> ServeAsync(bool hasTypes)
    {
        BtfWriter types = Typed.Types(out uint key, out uint value);
        ScriptedAgent agent = await ScriptedAgent.StartAsync(new Map
        {
            Id = 7,
            Name = "connections",
            TypeName = "hash",
            KeySize = 8,
            ValueSize = 16,
            ValueStride = 16,
            MaxLookupKeys = 1,
            BtfKeyTypeId = hasTypes ? key : 0,
            BtfValueTypeId = hasTypes ? value : 0,
        });
        agent.Btf = types.ToArray();
        agent.Scan = (_, _) => new LookupBatchResponse[]
        {
            new()
            {
                Count = 1,
                Layout = Typed.Layout,
                Keys = ByteString.CopyFrom(Typed.Key(1)),
                Values = ByteString.CopyFrom(Typed.Value(7, 1)),
            },
        }.ToAsyncEnumerable();
        agent.Lookup = request => new()
        {
            Layout = Typed.Layout,
            Found = { request.Keys.Span.StartsWith((byte[])[10, 0, 0, 1, 1, 0xbb]) },
            Values = ByteString.CopyFrom(Typed.Value(7, 1)),
        };
        return agent;
    }
}
