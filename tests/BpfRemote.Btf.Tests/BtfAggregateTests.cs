namespace BpfRemote.Btf.Tests;

public sealed class BtfAggregateTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Numbers_are_added_and_compared_wherever_they_are(bool bigEndian)
    {
        BtfWriter w = new(bigEndian);
        uint word = w.Int("unsigned int", 4);
        uint number = w.Int("short", 2, BtfIntEncoding.Signed);
        uint pair = w.Struct("pair", 8, ("hits", word, 0), ("grid", w.Array(w.Array(number, 1, word), 2, word), 32));
        uint type = w.Struct(
            "s", 36,
            ("total", w.Int("unsigned long", 8), 0), ("pairs", w.Array(pair, 2, word), 64), ("", w.Struct("", 4, ("f", w.Float("float", 4), 0)), 192),
            ("large", w.Float("double", 8), 224));
        BtfValueLayout layout = w.Parse().Layout(type);
        byte[] blocks =
        [
            .. Block(1UL << 40, 1, -1, 2, 3, -4, 5, 1.5f, 0.25),
            .. Block(2UL << 40, 10, -20, 30, 40, 50, -60, -2.5f, 4),
            .. Block(3UL << 40, 5, 5, 5, 5, 5, 5, 0.5f, 1),
        ];

        Assert.Equal(Block(6UL << 40, 16, -16, 37, 48, 51, -50, -0.5f, 5.25)[..36], Combined(BtfAggregate.Sum(layout), blocks, 36));
        Assert.Equal(Block(3UL << 40, 10, 5, 30, 40, 50, 5, 1.5f, 4)[..36], Combined(BtfAggregate.Max(layout), blocks, 36));

        byte[] Block(ulong total, uint a, short b, short c, uint d, short e, short f, float real, double large) => new ValueBytes(bigEndian)
            .U64(total).U32(a).U16((ushort)b).U16((ushort)c).U32(d).U16((ushort)e).U16((ushort)f)
            .U32(BitConverter.SingleToUInt32Bits(real)).U64(BitConverter.DoubleToUInt64Bits(large)).U32(0).ToArray();
    }

    [Fact]
    public void Sums_stay_in_the_range_of_their_types()
    {
        BtfWriter w = new();
        uint type = w.Struct(
            "s", 51,
            ("u8", w.Int("unsigned char", 1), 0), ("s8", w.Int("signed char", 1, BtfIntEncoding.Signed), 8),
            ("low", w.Int("signed char", 1, BtfIntEncoding.Signed), 16), ("u64", w.Int("unsigned long", 8), 24),
            ("s64", w.Int("long", 8, BtfIntEncoding.Signed), 88), ("u128", w.Int("unsigned __int128", 16), 152),
            ("s128", w.Int("__int128", 16, BtfIntEncoding.Signed), 280));
        BtfValueLayout layout = w.Parse().Layout(type);
        byte[] block = new ValueBytes(bigEndian: false)
            .U8(200, 100, 0x80).U64(ulong.MaxValue).U64((ulong)long.MaxValue).U128(UInt128.MaxValue - 1).U128((UInt128)Int128.MinValue)
            .U8(new byte[5]).ToArray();
        byte[] expected = new ValueBytes(bigEndian: false)
            .U8(255, 127, 0x80).U64(ulong.MaxValue).U64((ulong)long.MaxValue).U128(UInt128.MaxValue).U128((UInt128)Int128.MinValue).ToArray();

        Assert.Equal(expected, Combined(BtfAggregate.Sum(layout), [.. block, .. block], layout.Size));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bitfields_are_added_within_their_bits(bool bigEndian)
    {
        BtfWriter w = new(bigEndian);
        uint word = w.Int("unsigned int", 4);
        uint number = w.Int("int", 4, BtfIntEncoding.Signed);
        uint state = w.Enum("state", 4, signed: false, ("ON", 1));
        uint type = w.BitStruct("s", 4, ("a", word, 0, 3), ("b", number, 3, 4), ("state", state, 7, 2), ("c", word, 9, 20), ("", word, 29, 3));
        BtfValueLayout layout = w.Parse().Layout(type);
        BtfValueParser parser = new(layout);
        byte[] first = new byte[8], second = new byte[8], third = new byte[8], expected = new byte[8];
        parser.Parse([("a", "3"), ("b", "-8"), ("c", "1000")], first);
        parser.Parse([("a", "5"), ("b", "2"), ("state", "2"), ("c", "1")], second);
        parser.Parse([("a", "0"), ("b", "1"), ("state", "3"), ("c", "1048575")], third);
        parser.Parse([("a", "7"), ("b", "-5"), ("state", "2"), ("c", "1048575")], expected);

        Assert.Equal(expected[..4], Combined(BtfAggregate.Sum(layout), [.. first, .. second, .. third], 4));
    }

    [Fact]
    public void What_has_no_sum_is_the_first_CPUs_that_is_not_zero()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint type = w.Struct(
            "s", 41,
            ("state", w.Enum("e", 4, signed: false, ("ON", 1)), 0), ("pointer", w.Ptr(0), 32), ("comm", w.Array(character, 4, word), 96),
            ("saddr", word, 128), ("dport", w.Typedef("__be16", w.Int("unsigned short", 2)), 160),
            ("letter", w.Int("c", 1, BtfIntEncoding.Char), 176), ("ok", w.Int("_Bool", 1, BtfIntEncoding.Bool), 184), ("", w.Union("", 8, ("x", word), ("y", w.Int("unsigned long", 8))), 192),
            ("h_dest", w.Array(w.Int("unsigned char", 1), 6, word), 256), ("count", w.Int("unsigned char", 1), 320));
        BtfValueLayout layout = w.Parse().Layout(type);
        byte[] empty = new byte[48], other = [.. Enumerable.Repeat((byte)9, 48)];
        byte[] some = [.. Enumerable.Range(1, 41).Select(i => (byte)i), .. new byte[7]];

        byte[] value = Combined(BtfAggregate.Sum(layout), [.. empty, .. some, .. other], 41);

        some.AsSpan(38, 3).Clear(); // padding and the one number
        some[40] = 41 + 9;
        Assert.Equal(some[..41], value);
    }

    [Fact]
    public void A_number_is_combined_too()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        BtfValueLayout layout = w.Parse().Layout(word);

        Assert.Equal([7, 0, 0, 0], Combined(BtfAggregate.Sum(layout), [3, 0, 0, 0, 0xff, 0xff, 0, 0, 4, 0, 0, 0, 0xff, 0, 0, 0], 4));
        Assert.Equal([4, 0, 0, 0], Combined(BtfAggregate.Max(layout), [3, 0, 0, 0, 0xff, 0xff, 0, 0, 4, 0, 0, 0, 0xff, 0, 0, 0], 4));
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(9, 4)]
    [InlineData(8, 3)]
    public void Bytes_that_are_no_whole_values_are_refused(int blocks, int value)
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        BtfAggregate sum = BtfAggregate.Sum(w.Parse().Layout(word));

        Assert.Throws<ArgumentException>(() => sum.Combine(new byte[blocks], new byte[value]));
    }

    [Fact]
    public void What_doubles_at_each_level_is_refused()
    {
        BtfWriter w = new();
        uint type = w.Struct("s", 0);
        for (int i = 0; i < 60; i++)
        {
            type = w.Struct("s", 0, ("a", type, 0), ("b", type, 0));
        }

        BtfValueLayout layout = w.Parse().Layout(type);

        Assert.Equal("A value of struct s has more than 65536 parts.", Assert.Throws<BtfFormatException>(() => BtfAggregate.Sum(layout)).Message);
    }

    [Fact]
    public void Combining_allocates_nothing()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint type = w.Struct("s", 20, ("a", word, 0), ("list", w.Array(word, 3, word), 32), ("f", w.Float("float", 4), 128));
        BtfAggregate sum = BtfAggregate.Sum(w.Parse().Layout(type));
        byte[] blocks = new byte[24 * 4], value = new byte[20];
        sum.Combine(blocks, value);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            sum.Combine(blocks, value);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static byte[] Combined(BtfAggregate aggregate, ReadOnlySpan<byte> blocks, int size)
    {
        byte[] value = [.. Enumerable.Repeat((byte)0xee, size)];
        aggregate.Combine(blocks, value);
        return value;
    }
}
