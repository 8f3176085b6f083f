using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;
using BpfRemote.V1;

namespace BpfRemote.Cli.Tests;

/// <summary>One value of those of all CPUs.</summary>
public sealed class CombinedTests
{
    private static readonly Layout Bytes = new()
    {
        KeySize = 1,
        ValueSize = 1,
        ValueStride = 16,
        ValueKind = ValueKind.PerCpu,
        PossibleCpuIds = { 0, 1 },
    };

    [Theory]
    [InlineData("Sum", 16)]
    [InlineData("Max", 9)]
    public void Fields_are_combined_by_their_types(string mode, int packets) => Assert.Equal(
        $"saddr     dport  packets  comm     state\n10.0.0.1    443  {packets,7}  \"hi\\\",\"  OPEN\n",
        Typed.Write(
            output => new CombinedEntryWriter(output, new TableEntryWriter(output, severalMaps: false, Typed.Wide), Enum.Parse<PerCpuMode>(mode)),
            Typed.PerCpu, Typed.Schema(), (Typed.Key(1), [.. Typed.Value(7, 1), .. Typed.Value(9, 0)])));

    [Theory]
    [InlineData("Sum", "0xff")]
    [InlineData("Max", "0xc8")]
    public void Untyped_values_of_the_size_of_a_number_are_numbers(string mode, string expected) => Assert.Equal(
        $$"""{"key":["0x01"],"value":["{{expected}}"]}""" + "\n",
        Json(mode, Bytes, [200, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 100, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee]));

    [Fact]
    public void Numbers_follow_the_nodes_byte_order()
    {
        Layout layout = Bytes.Clone();
        layout.ValueSize = 2;
        layout.ByteOrder = ByteOrder.BigEndian;
        Assert.Contains("[\"0x01\",\"0x01\"]", Json("Sum", layout, [0, 255, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]), StringComparison.Ordinal);
    }

    [Fact]
    public void Maps_with_one_value_pass_through()
    {
        Layout layout = new() { KeySize = 1, ValueSize = 3, ValueStride = 3 };
        Assert.Contains("[\"0x07\",\"0x08\",\"0x09\"]", Json("Sum", layout, [7, 8, 9]), StringComparison.Ordinal);
    }

    [Fact]
    public void Untyped_values_of_other_sizes_are_refused()
    {
        Layout layout = Bytes.Clone();
        layout.ValueSize = 3;
        CommandException error = Assert.Throws<CommandException>(() => Json("Sum", layout, new byte[16]));
        Assert.Equal(ExitCode.Usage, error.ExitCode);
        Assert.Contains("have 3 bytes", error.Message, StringComparison.Ordinal);
    }

    private static string Json(string mode, Layout layout, byte[] value) => Typed.Write(
        output => new CombinedEntryWriter(output, new JsonLinesEntryWriter(output, JsonStyle.Compact), Enum.Parse<PerCpuMode>(mode)),
        layout, schema: null, ([1], value));
}
