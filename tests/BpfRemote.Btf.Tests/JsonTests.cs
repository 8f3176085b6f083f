using System.Buffers;
using System.Text;

namespace BpfRemote.Btf.Tests;

public sealed class JsonTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Numbers_of_every_size(bool bigEndian)
    {
        BtfWriter w = new(bigEndian);
        uint type = w.Struct(
            "numbers", 48,
            ("u8", w.Int("unsigned char", 1), 0),
            ("s8", w.Int("signed char", 1, BtfIntEncoding.Signed), 8),
            ("s16", w.Int("short", 2, BtfIntEncoding.Signed), 16),
            ("u32", w.Int("unsigned int", 4), 32),
            ("s64", w.Int("long", 8, BtfIntEncoding.Signed), 64),
            ("u128", w.Int("unsigned __int128", 16), 128),
            ("s32", w.Int("int", 4, BtfIntEncoding.Signed), 256),
            ("pad", w.Int("unsigned int", 4), 288),
            ("p", w.Ptr(0), 320));
        byte[] value = new ValueBytes(bigEndian)
            .U8(255).U8(128).U16(0x8000).U32(uint.MaxValue).U64(1UL << 63).U128(((UInt128)0x12 << 64) | 0xab)
            .U32(unchecked((uint)-7)).U32(0).U64(0xffff_8881_0000_0000).ToArray();

        Assert.Equal(
            """{"u8":255,"s8":-128,"s16":-32768,"u32":4294967295,"s64":"""
            + """-9223372036854775808,"u128":"0x1200000000000000ab","s32":-7,"pad":0,"p":18446612686364999680}""",
            Rendered.Json(w.Parse().Layout(type), value));
    }

    [Fact]
    public void Bitfields_are_hexadecimal_text_of_their_bits()
    {
        BtfWriter w = new();
        uint integer = w.Int("int", 4, BtfIntEncoding.Signed);
        uint state = w.Enum("state", 4, signed: false, ("ON", 1));
        uint type = w.BitStruct(
            "flags", 8, ("low", integer, 0, 3), ("on", state, 3, 1), ("across", integer, 4, 20), ("whole", integer, 32, 32));
        byte[] value = new ValueBytes(bigEndian: false).U32(0b1111_1111_0000_0000_0000_1010_1_101 & 0xff_ffff).U32(5).ToArray();

        Assert.Equal("""{"low":"0x5","on":"0x1","across":"0xf000a","whole":"0x5"}""", Rendered.Json(w.Parse().Layout(type), value));
    }

    [Fact]
    public void Bitfields_of_a_big_endian_machine_begin_at_the_most_significant_bit()
    {
        BtfWriter w = new(bigEndian: true);
        uint integer = w.Int("unsigned int", 4);
        uint type = w.BitStruct("flags", 4, ("first", integer, 0, 3), ("second", integer, 3, 9), ("rest", integer, 12, 20));

        Assert.Equal(
            """{"first":"0x5","second":"0x1fe","rest":"0x12345"}""",
            Rendered.Json(w.Parse().Layout(type), 0b101_11111, 0b1110_0001, 0x23, 0x45));
    }

    [Fact]
    public void Bitfields_of_old_compilers_are_a_matter_of_the_integer()
    {
        BtfWriter w = new();
        uint three = w.Int("int", 4, BtfIntEncoding.Signed, bits: 3);
        uint shifted = w.Int("unsigned int", 4, bits: 5, bitOffset: 3);
        uint whole = w.Int("unsigned short", 2);
        uint type = w.Struct("flags", 8, ("three", three, 0), ("shifted", shifted, 0), ("unaligned", whole, 12));

        Assert.Equal(
            """{"three":"0x7","shifted":"0x15","unaligned":"0x234"}""",
            Rendered.Json(w.Parse().Layout(type), 0b10101_111, 0x40, 0x23, 0, 0, 0, 0, 0));
    }

    [Fact]
    public void Integers_of_odd_sizes_are_hexadecimal_also_in_arrays()
    {
        BtfWriter w = new();
        uint odd = w.Int("u24", 4, bits: 24);
        uint type = w.Array(odd, 2, odd);

        Assert.Equal("""["0x30201","0x70605"]""", Rendered.Json(w.Parse().Layout(type), 1, 2, 3, 4, 5, 6, 7, 8));
    }

    [Theory]
    [InlineData(0, "false")]
    [InlineData(1, "true")]
    [InlineData(2, "true")]
    public void Booleans_are_of_their_own_byte_alone(byte value, string expected)
    {
        BtfWriter w = new();
        uint boolean = w.Int("_Bool", 1, BtfIntEncoding.Bool);
        uint type = w.Struct("s", 2, ("b", boolean, 0), ("next", w.Int("unsigned char", 1), 8));

        Assert.Equal($$"""{"b":{{expected}},"next":9}""", Rendered.Json(w.Parse().Layout(type), value, 9));
    }

    [Fact]
    public void Characters_by_encoding_are_strings()
    {
        BtfWriter w = new();
        uint character = w.Int("letter", 1, BtfIntEncoding.Char);
        uint type = w.Struct("s", 5, [.. Enumerable.Range(0, 5).Select(i => ($"c{i}", character, (uint)i * 8))]);

        Assert.Equal(
            """{"c0":"a","c1":"\u0000","c2":"\"","c3":"\\","c4":"\u00ff"}""",
            Rendered.Json(w.Parse().Layout(type), (byte)'a', 0, (byte)'"', (byte)'\\', 0xff));
    }

    [Theory]
    [InlineData("bash\0\0\0\0", "\"bash\"")]
    [InlineData("\0garbage", "\"\"")]
    [InlineData("a\"b\\c'd\0", "\"a\\\"b\\\\c'd\"")]
    [InlineData("unended!", "[117,110,101,110,100,101,100,33]")]
    [InlineData("a\tb\0\0\0\0\0", "[97,9,98,0,0,0,0,0]")]
    public void Arrays_of_char_are_text_if_they_are_printable_and_ended(string characters, string expected)
    {
        BtfWriter w = new();
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint type = w.Array(w.Const(character), 8, character);

        Assert.Equal(expected, Rendered.Json(w.Parse().Layout(type), Encoding.ASCII.GetBytes(characters)));
    }

    [Fact]
    public void Arrays_of_bytes_and_of_renamed_char_are_numbers()
    {
        BtfWriter w = new();
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint renamed = w.Array(w.Typedef("letter", character), 2, character);
        uint bytes = w.Array(w.Int("unsigned char", 1), 2, character);
        BtfTypes types = w.Parse();

        Assert.Equal("[97,0]", Rendered.Json(types.Layout(renamed), (byte)'a', 0));
        Assert.Equal("[97,0]", Rendered.Json(types.Layout(bytes), (byte)'a', 0));
    }

    [Fact]
    public void Arrays_nest_and_may_be_empty()
    {
        BtfWriter w = new();
        uint integer = w.Int("unsigned short", 2);
        uint pair = w.Struct("pair", 4, ("a", integer, 0), ("b", integer, 16));
        uint rows = w.Array(w.Array(pair, 2, integer), 2, integer);
        uint type = w.Struct("s", 18, ("rows", rows, 0), ("tail", integer, 128), ("flexible", w.Array(integer, 0, integer), 144));

        Assert.Equal(
            """{"rows":[[{"a":1,"b":2},{"a":3,"b":4}],[{"a":5,"b":6},{"a":7,"b":8}]],"tail":9,"flexible":[]}""",
            Rendered.Json(w.Parse().Layout(type), 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9, 0));
    }

    [Fact]
    public void Text_in_repeated_elements_is_decided_for_each()
    {
        BtfWriter w = new();
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint type = w.Array(w.Array(character, 2, character), 3, character);

        Assert.Equal("""["a",[98,99],""]""", Rendered.Json(w.Parse().Layout(type), (byte)'a', 0, (byte)'b', (byte)'c', 0, 1));
    }

    [Fact]
    public void Anonymous_members_have_an_empty_name_and_unions_show_every_view()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint union = w.Union("", 4, ("word", word), ("bytes", w.Array(w.Int("unsigned char", 1), 4, word)));
        uint type = w.Struct("s", 8, ("", union, 0), ("nothing", w.Struct("nothing", 0), 32), ("last", word, 32));

        Assert.Equal(
            """{"":{"word":258,"bytes":[2,1,0,0]},"nothing":{},"last":3}""",
            Rendered.Json(w.Parse().Layout(type), 2, 1, 0, 0, 3, 0, 0, 0));
    }

    [Fact]
    public void Enumerations_are_names_or_numbers()
    {
        BtfWriter w = new();
        uint plain = w.Enum("plain", 4, signed: false, ("A", 0), ("B", 1), ("AGAIN", 1), ("ALL", -1));
        uint signed = w.Enum("signed", 4, signed: true, ("LOST", -1));
        uint tiny = w.Enum("tiny", 1, signed: false, ("HIGH", 200));
        uint wide = w.Enum64("wide", signed: true, ("FAR", 1UL << 40));
        uint unsignedWide = w.Enum64("unsigned_wide", signed: false, ("MAX", ulong.MaxValue));
        BtfTypes types = w.Parse();

        Assert.Equal("\"A\"", Plain(0));
        Assert.Equal("\"B\"", Plain(1));
        Assert.Equal("\"ALL\"", Plain(uint.MaxValue));
        Assert.Equal("2", Plain(2));
        Assert.Equal("2147483648", Plain(0x8000_0000));
        Assert.Equal("\"LOST\"", Rendered.Json(types.Layout(signed), 0xff, 0xff, 0xff, 0xff));
        Assert.Equal("-2", Rendered.Json(types.Layout(signed), 0xfe, 0xff, 0xff, 0xff));
        Assert.Equal("\"HIGH\"", Rendered.Json(types.Layout(tiny), 200));
        Assert.Equal("\"FAR\"", Rendered.Json(types.Layout(wide), 0, 0, 0, 0, 0, 1, 0, 0));
        Assert.Equal("-1", Rendered.Json(types.Layout(wide), 255, 255, 255, 255, 255, 255, 255, 255));
        Assert.Equal("\"MAX\"", Rendered.Json(types.Layout(unsignedWide), 255, 255, 255, 255, 255, 255, 255, 255));
        Assert.Equal("18446744073709551614", Rendered.Json(types.Layout(unsignedWide), 254, 255, 255, 255, 255, 255, 255, 255));

        string Plain(uint value)
        {
            return Rendered.Json(types.Layout(plain), new ValueBytes(bigEndian: false).U32(value).ToArray());
        }
    }

    [Theory]
    [InlineData(1.5, "1.5")]
    [InlineData(-1e300, "-1E+300")]
    [InlineData(double.NaN, "\"NaN\"")]
    [InlineData(double.PositiveInfinity, "\"Infinity\"")]
    [InlineData(double.NegativeInfinity, "\"-Infinity\"")]
    public void Floats_are_numbers_where_JSON_has_them(double value, string expected)
    {
        BtfWriter w = new();
        uint type = w.Float("double", 8);

        Assert.Equal(expected, Rendered.Json(w.Parse().Layout(type), BitConverter.GetBytes(value)));
    }

    [Fact]
    public void Floats_of_other_sizes()
    {
        BtfWriter w = new();
        uint half = w.Float("_Float16", 2);
        uint single = w.Float("float", 4);
        uint extended = w.Float("long double", 16);
        BtfTypes types = w.Parse();

        Assert.Equal("0.5", Rendered.Json(types.Layout(half), BitConverter.GetBytes((Half)0.5)));
        Assert.Equal("0.1", Rendered.Json(types.Layout(single), BitConverter.GetBytes(0.1f)));
        Assert.Equal("\"000102030405060708090a0b0c0d0e0f\"", Rendered.Json(
            types.Layout(extended), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    }

    [Fact]
    public void Sections_are_lists_of_their_variables()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint type = w.DataSec(
            ".rodata", 12, (w.Var("first", w.Const(word), 0), 0, 4), (w.Var("third", w.Volatile(w.Ptr(word)), 1), 4, 8));

        Assert.Equal(
            """{".rodata":[{"first":1},{"third":2}]}""",
            Rendered.Json(w.Parse().Layout(type), 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0));
    }

    [Fact]
    public void Names_are_escaped()
    {
        BtfWriter w = new();
        uint type = w.Struct("s", 4, ("a\"\\\n<é>", w.Int("int", 4), 0));

        Assert.Equal("""{"a\"\\\n<é>":0}""", Rendered.Json(w.Parse().Layout(type), 0, 0, 0, 0));
    }

    [Fact]
    public void Entries_are_objects_of_key_and_value_or_values()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        BtfValueLayout layout = w.Parse().Layout(word);

        Assert.Equal(
            """{"key":1,"value":2}""", Rendered.Entry(BtfJsonEntryFormat.Single(layout, layout), [1, 0, 0, 0], [2, 0, 0, 0]));
        Assert.Equal("""{"value":2}""", Rendered.Entry(BtfJsonEntryFormat.Single(null, layout), [1, 0, 0, 0], [2, 0, 0, 0]));
        Assert.Equal(
            """{"key":1,"values":[{"cpu":0,"value":2},{"cpu":3,"value":4}]}""",
            Rendered.Entry(
                BtfJsonEntryFormat.PerCpu(layout, layout, [0, 3]), [1, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]));
    }

    [Fact]
    public void Too_few_bytes_are_refused()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        BtfValueLayout layout = w.Parse().Layout(word);

        Assert.Throws<ArgumentException>(() => Rendered.Json(layout, 1, 2, 3));
        Assert.Throws<ArgumentException>(() => Rendered.Entry(BtfJsonEntryFormat.PerCpu(null, layout, [0, 1]), [], new byte[11]));
        Assert.Throws<ArgumentException>(() => Rendered.Entry(BtfJsonEntryFormat.PerCpu(null, layout, [0, 1, 2]), [], new byte[8]));
    }

    [Fact]
    public void Writing_an_entry_allocates_nothing()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint state = w.Enum("state", 4, signed: false, ("OFF", 0), ("ON", 1));
        uint type = w.Struct(
            "s", 28, ("words", w.Array(word, 3, word), 0), ("state", state, 96), ("name", w.Array(character, 12, word), 128));
        BtfTypes types = w.Parse();
        BtfJsonEntryFormat format = BtfJsonEntryFormat.Single(types.Layout(word), types.Layout(type));
        byte[] value = [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, .. "eth0"u8, 0, 0, 0, 0, 0, 0, 0, 0];
        ArrayBufferWriter<byte> output = new(1 << 16);
        Write();
        Assert.Equal(
            """{"key":1,"value":{"words":[1,2,3],"state":"ON","name":"eth0"}}""", Encoding.UTF8.GetString(output.WrittenSpan));

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            Write();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Write()
        {
            output.ResetWrittenCount();
            format.Write(output, value.AsSpan(0, 4), value);
        }
    }
}
