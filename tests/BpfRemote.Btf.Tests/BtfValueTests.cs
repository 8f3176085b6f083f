using System.Runtime.InteropServices;

namespace BpfRemote.Btf.Tests;

public sealed class BtfValueTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Fields_are_read_by_name_through_anonymous_members_and_arrays(bool bigEndian)
    {
        BtfWriter w = new(bigEndian);
        uint word = w.Int("unsigned int", 4);
        uint number = w.Int("short", 2, BtfIntEncoding.Signed);
        uint inner = w.Struct("", 4, ("low", number, 0), ("high", number, 16));
        uint union = w.Union("", 4, ("both", word), ("", inner));
        uint type = w.Struct("s", 20, ("first", word, 0), ("", union, 32), ("list", w.Array(inner, 3, word), 64));
        BtfValueLayout layout = w.Parse().Layout(type);
        byte[] bytes = new ValueBytes(bigEndian)
            .U32(4_000_000_000).U16(1).U16(unchecked((ushort)-2)).U16(3).U16(4).U16(5).U16(6).U16(7).U16(8).ToArray();

        BtfValue value = layout.Read(bytes);

        Assert.Equal(4_000_000_000, value["first"].ReadUInt64());
        Assert.Equal(1, value["low"].ReadInt64());
        Assert.Equal(-2, value["high"].ReadInt64());
        Assert.Equal(3, value["list"].Count);
        Assert.Equal(8, value["list"][2]["high"].ReadInt64());
        Assert.False(value.TryGetField("none", out _));
        Assert.Throws<KeyNotFoundException>(() => layout.Read(bytes)["none"].Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => layout.Read(bytes)["list"][3].Count);
        Assert.Throws<OverflowException>(() => layout.Read(bytes)["high"].ReadUInt64());
        Assert.Throws<InvalidOperationException>(() => layout.Read(bytes)["list"].ReadUInt64());
    }

    [Fact]
    public void Bitfields_are_read_with_their_sign()
    {
        BtfWriter w = new();
        uint number = w.Int("int", 4, BtfIntEncoding.Signed);
        uint word = w.Int("unsigned int", 4);
        uint state = w.Enum("e", 4, signed: false, ("ON", 3));
        uint type = w.BitStruct("s", 4, ("n", number, 0, 3), ("u", word, 3, 3), ("state", state, 6, 2));
        BtfValue value = w.Parse().Layout(type).Read([0b11_101_101, 0, 0, 0]);

        Assert.Equal(-3, value["n"].ReadInt64());
        Assert.Equal(5u, value["u"].ReadUInt64());
        Assert.Equal("ON", value["state"].ReadEnumName());
    }

    [Fact]
    public void Every_kind_of_scalar_is_read()
    {
        BtfWriter w = new();
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint type = w.Struct(
            "s", 48,
            ("wide", w.Int("__int128", 16, BtfIntEncoding.Signed), 0), ("real", w.Float("double", 8), 128),
            ("pointer", w.Ptr(0), 192), ("ok", w.Int("_Bool", 1, BtfIntEncoding.Bool), 256),
            ("text", w.Array(character, 7, character), 264), ("state", w.Enum64("e", signed: true, ("LOST", ulong.MaxValue)), 320));
        byte[] bytes = new ValueBytes(bigEndian: false)
            .U128((UInt128)(Int128)(-5)).U64(BitConverter.DoubleToUInt64Bits(0.25)).U64(ulong.MaxValue).U8(1).U8("eth0\0xx"u8)
            .U64(ulong.MaxValue).ToArray();
        BtfValueLayout layout = w.Parse().Layout(type);

        BtfValue value = layout.Read(bytes);

        Assert.Equal(-5, value["wide"].ReadInt128());
        Assert.Equal(-5, value["wide"].ReadInt64());
        Assert.Equal(0.25, value["real"].ReadDouble());
        Assert.Equal(ulong.MaxValue, value["pointer"].ReadUInt64());
        Assert.True(value["ok"].ReadBoolean());
        Assert.Equal("eth0"u8, value["text"].ReadText());
        Assert.Equal("LOST", value["state"].ReadEnumName());
        Assert.Equal(-1, value["state"].ReadInt64());
        Assert.Throws<OverflowException>(() => layout.Read(bytes)["pointer"].ReadInt64());
    }

    [Fact]
    public void A_value_is_read_as_a_struct_of_its_size()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint type = w.Struct("pair", 8, ("a", word, 0), ("b", word, 32));
        BtfValueLayout layout = w.Parse().Layout(type);

        Assert.Equal(new Pair(1, 2), layout.Read([1, 0, 0, 0, 2, 0, 0, 0]).ReadAs<Pair>());
        Assert.Throws<InvalidOperationException>(() => layout.Read(new byte[8]).ReadAs<int>());
        Assert.Throws<InvalidOperationException>(() => layout.Read(new byte[8]).ReadAs<Int128>());
        Assert.Throws<ArgumentException>(() => layout.Read(new byte[7]).Count);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint type = w.Struct("s", 8, ("", w.Struct("", 4, ("a", word, 0)), 0), ("b", w.Array(word, 1, word), 32));
        BtfValueLayout layout = w.Parse().Layout(type);
        byte[] bytes = [1, 0, 0, 0, 2, 0, 0, 0];
        ulong sum = Sum();

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            sum += Sum();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(3003u, sum);

        ulong Sum()
        {
            BtfValue value = layout.Read(bytes);
            return value["a"].ReadUInt64() + value["b"][0].ReadUInt64();
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Pair(uint A, uint B);
}
