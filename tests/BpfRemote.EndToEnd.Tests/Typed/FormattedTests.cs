using BpfRemote.Btf.Tests;
using BpfRemote.DemoMaps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.EndToEnd.Typed;

/// <summary>Maps with types, as <c>bpfremote -j map dump|show|lookup</c> and bpftool print them: to the byte.</summary>
public sealed class FormattedTests
{
    private const uint BPF_F_NO_PREALLOC = 1;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(BpfMapType.Hash, 3_000)]
    [InlineData(BpfMapType.LruHash, 300)]
    [InlineData(BpfMapType.Array, 300)]
    [InlineData(BpfMapType.PerCpuHash, 300)]
    [InlineData(BpfMapType.LruPerCpuHash, 300)]
    [InlineData(BpfMapType.PerCpuArray, 300)]
    public async Task Every_kind_of_value_is_printed_as_bpftool_prints_it(BpfMapType type, int count)
    {
        BtfWriter types = new();
        uint value = EveryKind.AddTo(types);
        uint key = types.Int("unsigned int", 4);
        using WritableMap map = Create(types, type, key, value, EveryKind.Size, count);
        Random random = new(1);
        for (int i = 0; i < count; i++)
        {
            byte[] blocks = new byte[map.ValueStride];
            for (int offset = 0; offset < blocks.Length; offset += (int)EveryKind.Size)
            {
                EveryKind.Value(random).CopyTo(blocks.AsSpan(offset));
            }

            map.Update(BitConverter.GetBytes(i), blocks);
        }

        await AssertPrintedAlikeAsync(map);
    }

    [Fact]
    public async Task Large_maps_are_printed_as_bpftool_prints_them()
    {
        const int count = 120_000;
        BtfWriter types = new();
        uint word = types.Int("unsigned int", 4);
        uint state = types.Enum("state", 4, signed: false, ("NEW", 0), ("OPEN", 1), ("CLOSED", 2));
        uint value = types.Struct("value", 8, ("hits", word, 0), ("state", state, 32));
        using WritableMap map = Create(types, BpfMapType.Hash, word, value, valueSize: 8, count);
        for (int i = 0; i < count; i++)
        {
            map.Update(BitConverter.GetBytes(i), BitConverter.GetBytes((uint)(i * 7) | ((ulong)(i % 4) << 32)));
        }

        await AssertPrintedAlikeAsync(map);
    }

    [Theory]
    [InlineData("e2e.rodata")]
    [InlineData("e2e.data")]
    [InlineData("e2e.bss")]
    [InlineData("e2e.kconfig")]
    public async Task Sections_are_printed_as_bpftool_prints_them(string name)
    {
        BtfWriter types = new();
        uint word = types.Int("unsigned int", 4);
        uint character = types.Int("char", 1, Btf.BtfIntEncoding.Signed);
        uint boolean = types.Int("_Bool", 1, Btf.BtfIntEncoding.Bool);
        uint tristate = types.Enum("libbpf_tristate", 4, signed: false, ("TRI_NO", 0), ("TRI_YES", 1), ("TRI_MODULE", 2));
        uint everything = EveryKind.AddTo(types);
        uint section = types.DataSec(
            name[name.IndexOf('.', StringComparison.Ordinal)..],
            EveryKind.Size + 24,
            (types.Var("LINUX_KERNEL_VERSION", types.Const(word), 1), 0, 4),
            (types.Var("CONFIG_BPF", tristate, 1), 4, 4),
            (types.Var("CONFIG_LOCALVERSION", types.Array(character, 8, word), 1), 8, 8),
            (types.Var("everything", types.Volatile(everything), 1), 16, EveryKind.Size),
            (types.Var("enabled", boolean, 1), EveryKind.Size + 16, 1));
        using WritableMap map = Create(types, BpfMapType.Array, keyType: 0, section, EveryKind.Size + 24, count: 1, name);
        map.Update(
            BitConverter.GetBytes(0),
            [.. BitConverter.GetBytes(0x061200), .. BitConverter.GetBytes(2), .. "-cloud\0\0"u8, .. EveryKind.Value(new Random(1)), 1, .. new byte[7]]);
        await AssertPrintedAlikeAsync(map, key: 0);
    }

    [Theory]
    [InlineData(BpfMapType.ArrayOfMaps)]
    [InlineData(BpfMapType.HashOfMaps)]
    public async Task Maps_of_maps_are_printed_as_bpftool_prints_them(BpfMapType type)
    {
        Require.Kernel();
        using WritableMap inner = WritableMap.Create(new() { Type = BpfMapType.Array, KeySize = 4, ValueSize = 8, MaxEntries = 1 });
        using WritableMap another = WritableMap.Create(new() { Type = BpfMapType.Array, KeySize = 4, ValueSize = 8, MaxEntries = 1 });
        using WritableMap map = WritableMap.Create(new()
        {
            Type = type,
            Name = "outer",
            KeySize = 4,
            ValueSize = 4,
            MaxEntries = 5,
            InnerMap = inner,
        });
        map.Update(BitConverter.GetBytes(1), inner.Handle);
        map.Update(BitConverter.GetBytes(3), another.Handle);
        await AssertPrintedAlikeAsync(map);
    }

    [Theory]
    [InlineData(BpfMapType.PerfEventArray, 4)]
    [InlineData(BpfMapType.CgroupArray, 4)]
    [InlineData(BpfMapType.XskMap, 4)]
    [InlineData(BpfMapType.SockMap, 4)]
    [InlineData(BpfMapType.ReuseportSockArray, 4)]
    [InlineData(BpfMapType.ProgArray, 4)]
    [InlineData(BpfMapType.DevMap, 8)]
    public async Task Entries_that_have_no_value_are_printed_as_bpftool_prints_them(BpfMapType type, int valueSize)
    {
        Require.Kernel();
        using WritableMap map = WritableMap.Create(new() { Type = type, Name = "errors", KeySize = 4, ValueSize = (uint)valueSize, MaxEntries = 4 });
        await AssertPrintedAlikeAsync(map);
    }

    private static WritableMap Create(BtfWriter types, BpfMapType type, uint keyType, uint valueType, uint valueSize, int count, string name = "e2e_typed")
    {
        Require.Kernel();
        using SafeFileHandle loaded = KernelTypes.Load(types.ToArray());
        return WritableMap.Create(new()
        {
            Type = type,
            Name = name,
            KeySize = 4,
            ValueSize = valueSize,
            MaxEntries = (uint)count,
            Flags = type == BpfMapType.Hash ? BPF_F_NO_PREALLOC : 0,
            Btf = loaded,
            BtfKeyTypeId = keyType,
            BtfValueTypeId = valueType,
        });
    }

    private static async Task AssertPrintedAlikeAsync(WritableMap map, byte key = 1)
    {
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        string[] selected = ["id", $"{map.Id}"];
        string[][] commands = [["dump", .. selected], ["show", .. selected], ["lookup", .. selected, "key", $"{key}", "0", "0", "0"]];
        foreach (string[] command in commands)
        {
            CommandResult bpftool = await Command.RunAsync(Require.Program("bpftool"), ["-j", "map", .. command], Cancelled);
            CommandResult ours = await Command.RunAsync(
                Require.BuiltPath("CommandLineProgram"), ["--address", site.Address, "-j", "map", .. command], Cancelled);

            // bpftool ends with whatever is left of a negative errno.
            Assert.Equal(("", bpftool.ExitCode == 0), (ours.Error, ours.ExitCode == 0));
            Assert.True(bpftool.Output.TrimEnd() == ours.Output.TrimEnd(), FirstDifference(bpftool.Output, ours.Output));
        }

        agent.AssertNoFailureLogged();
    }

    private static string FirstDifference(string expected, string actual)
    {
        int at = expected.AsSpan().CommonPrefixLength(actual);
        int from = Math.Max(0, at - 100);
        return $"bpftool: …{expected[from..Math.Min(expected.Length, at + 100)]}…\nours:    …{actual[from..Math.Min(actual.Length, at + 100)]}…";
    }
}
