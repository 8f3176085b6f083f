using BpfRemote.Btf.Tests;
using BpfRemote.Cli.Entries;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Tests;

public sealed class HistogramTests
{
    private static readonly Layout CountPerCpu = new()
    {
        KeySize = 8,
        ValueSize = 8,
        ValueStride = 16,
        ValueKind = ValueKind.PerCpu,
        PossibleCpuIds = { 0, 1 },
    };

    [Theory]
    [InlineData("Log2", 0, "0 -> 1")]
    [InlineData("Log2", 1, "2 -> 3")]
    [InlineData("Log2", 10, "1024 -> 2047")]
    [InlineData("Log2", 63, "9223372036854775808 -> 18446744073709551615")]
    [InlineData("Log2", 64, "64")]
    [InlineData("Bpftrace", 0, "(..., 0)")]
    [InlineData("Bpftrace", 1, "[0]")]
    [InlineData("Bpftrace", 2, "[1]")]
    [InlineData("Bpftrace", 3, "[2, 4)")]
    [InlineData("Bpftrace", 11, "[512, 1K)")]
    [InlineData("Bpftrace", 21, "[512K, 1M)")]
    [InlineData("Linear", 11, "11")]
    public void Slots_are_called_what_their_tools_call_them(string scale, ulong slot, string expected) =>
        Assert.Equal(expected, SlotLabels.Of(Enum.Parse<SlotScale>(scale), slot));

    [Fact]
    public void A_value_with_slots_is_bars()
    {
        BtfWriter types = new();
        uint word = types.Int("unsigned int", 4);
        uint character = types.Int("char", 1, Btf.BtfIntEncoding.Signed);
        uint value = types.Struct("hist", 24, ("slots", types.Array(word, 5, word), 0), ("comm", types.Array(character, 4, word), 160));
        MapSchema schema = MapSchema.Create(new() { KeySize = 4, ValueSize = 24 }, types.Parse(), word, value);
        byte[] hist = [0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, .. "sh"u8, 0, 0];
        Assert.Equal(
            """
            key = 7  comm = "sh"
               2 -> 3   5  |*****     |
               4 -> 7   0  |          |
              8 -> 15  10  |**********|

            key = 8  comm = ""
              nothing was counted

            """,
            Typed.Write(
                output => new TableEntryWriter(output, severalMaps: false, new() { Width = 20, Colour = false }),
                new() { KeySize = 4, ValueSize = 24, ValueStride = 24 }, schema, ([7, 0, 0, 0], hist), ([8, 0, 0, 0], new byte[24])));
    }

    [Fact]
    public void Keys_that_are_slots_are_bars_of_the_counts_of_all_cpus() => Assert.Equal(
        """
             [1]  3  |****      |
          [2, 4)  0  |          |
          [4, 8)  9  |**********|

        """,
        Write(SlotScale.Bpftrace, CountPerCpu, schema: null, (U64(2), [.. U64(1), .. U64(2)]), (U64(4), [.. U64(9), .. U64(0)])));

    [Fact]
    public void What_else_is_in_an_untyped_key_has_bars_of_its_own()
    {
        Layout layout = new() { KeySize = 12, ValueSize = 8, ValueStride = 8 };
        Assert.Equal(
            """
            key = 00000001
              1  1  |**********|

            key = 00000002
              1  2  |**********|

            """,
            Write(SlotScale.Linear, layout, schema: null, ([0, 0, 0, 2, .. U64(1)], U64(2)), ([0, 0, 0, 1, .. U64(1)], U64(1))));
    }

    [Fact]
    public void What_else_is_in_a_typed_key_stands_above_its_bars()
    {
        BtfWriter types = new();
        uint word = types.Int("unsigned int", 4);
        uint key = types.Struct("key", 8, ("disk", word, 0), ("slot", word, 32));
        MapSchema schema = MapSchema.Create(new() { KeySize = 8, ValueSize = 4 }, types.Parse(), key, word);
        Layout layout = new() { KeySize = 8, ValueSize = 4, ValueStride = 4 };
        Assert.Equal(
            """
            disk = 3
              2 -> 3  4  |**********|

            """,
            Write(SlotScale.Log2, layout, schema, ([3, 0, 0, 0, 1, 0, 0, 0], [4, 0, 0, 0])));
    }

    [Fact]
    public void Slots_far_apart_are_shown_without_what_is_between() => Assert.Equal(
        """
               5  1  |**********|
          100000  1  |**********|

        """,
        Write(SlotScale.Linear, new() { KeySize = 8, ValueSize = 8, ValueStride = 8 }, schema: null, (U64(100_000), U64(1)), (U64(5), U64(1))));

    [Fact]
    public void Values_that_are_no_counts_are_refused()
    {
        CommandException error = Assert.Throws<CommandException>(
            () => Write(SlotScale.Log2, new() { KeySize = 8, ValueSize = 12, ValueStride = 12 }, schema: null));
        Assert.Equal(ExitCode.Usage, error.ExitCode);
        Assert.Contains("values are counts", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_the_kernel_refuses_are_no_counts()
    {
        CommandException error = Assert.Throws<CommandException>(
            () => Write(SlotScale.Log2, new() { MapId = 7, KeySize = 4, ValueSize = 4, ValueError = "ENOTSUPP" }, schema: null, ([0, 0, 0, 0], [])));
        Assert.Equal(ExitCode.Failed, error.ExitCode);
        Assert.Contains("the kernel gives no values of map", error.Message, StringComparison.Ordinal);
    }

    private static byte[] U64(ulong value) => BitConverter.GetBytes(value);

    private static string Write(
        SlotScale scale, Layout layout, MapSchema? schema, params ReadOnlySpan<(byte[] Key, byte[] Value)> entries) => Typed.Write(
        output => new TableEntryWriter(output, severalMaps: false, new() { Width = 20, Colour = false, Histogram = scale }),
        layout, schema, entries);
}
