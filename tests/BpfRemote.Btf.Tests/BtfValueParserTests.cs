namespace BpfRemote.Btf.Tests;

public sealed class BtfValueParserTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Fields_are_given_by_path(bool bigEndian)
    {
        BtfWriter w = new(bigEndian);
        uint word = w.Int("unsigned int", 4);
        uint number = w.Int("int", 4, BtfIntEncoding.Signed);
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint state = w.Enum("state", 4, signed: false, ("CONN_NEW", 1), ("CONN_OLD", 2));
        uint bits = w.BitStruct("bits", 4, ("x", word, 0, 3), ("y", number, 3, 5), ("s", state, 8, 2));
        uint type = w.Struct(
            "conn", 52,
            ("pid", word, 0), ("comm", w.Array(character, 8, word), 32), ("saddr", word, 96),
            ("dport", w.Typedef("__be16", w.Int("unsigned short", 2)), 128), ("state", state, 160), ("flags", bits, 192),
            ("arr", w.Array(w.Array(number, 2, word), 2, word), 224), ("", w.Struct("", 1, ("ok", w.Int("_Bool", 1, BtfIntEncoding.Bool), 0)), 352),
            ("seconds", w.Float("float", 4), 384));
        BtfValueLayout layout = w.Parse().Layout(type);
        byte[] value = [.. Enumerable.Repeat((byte)0xff, 53)];

        IReadOnlyList<string> missing = new BtfValueParser(layout).Parse(
            [
                ("pid", "42"), ("comm", "bash"), ("saddr", "10.0.0.1"), ("dport", "443"), ("state", "CONN_NEW"), ("flags.x", "5"),
                ("flags.y", "-1"), ("arr[1][0]", "-0x7"), ("ok", "true"),
            ],
            value);

        Assert.Equal(["flags.s", "seconds"], missing);
        Assert.Equal(
            new ValueBytes(bigEndian).U32(42).U8("bash\0\0\0\0"u8).U8(10, 0, 0, 1).U8(1, 187, 0, 0).U32(1)
                .U8(bigEndian ? (byte)0b101_11111 : (byte)0b11111_101, 0, 0, 0).U32(0).U32(0).U32(unchecked((uint)-7)).U32(0).U8(1, 0, 0, 0).U32(0)
                .U8(0xff).ToArray(),
            value);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("-2147483648", int.MinValue)]
    [InlineData("+2147483647", int.MaxValue)]
    [InlineData("0xffffffff", -1)]
    [InlineData("0x7f", 127)]
    [InlineData("-0x7F", -127)]
    [InlineData("017", 15)]
    [InlineData("037777777777", -1)]
    public void Numbers_are_read_as_C_writes_them(string text, int expected)
    {
        BtfWriter w = new();
        uint number = w.Int("int", 4, BtfIntEncoding.Signed);

        Assert.Equal(BitConverter.GetBytes(expected), Parsed(w.Parse().Layout(number), ("", text)));
    }

    [Fact]
    public void Texts_and_characters_are_read_as_C_writes_them()
    {
        BtfWriter w = new();
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint letter = w.Int("letter", 1, BtfIntEncoding.Char);
        uint type = w.Struct("s", 10, ("text", w.Array(character, 8, character), 0), ("c", character, 64), ("l", letter, 72));
        BtfValueLayout layout = w.Parse().Layout(type);

        Assert.Equal("a\"\\\n\x01\0\0\0'x"u8, Parsed(layout, ("text", """  "a\"\\\n\x01" """), ("c", "'\\''"), ("l", "'x'")));
        Assert.Equal("a b\\n\0\0\0A\x7f"u8, Parsed(layout, ("text", "a b\\n"), ("c", "65"), ("l", "127")));
        Assert.Equal("12345678\0\0"u8, Parsed(layout, ("text", "12345678")));
        Assert.Equal("\u00e4"u8, Parsed(layout, ("text", "ä")).AsSpan(0, 2));
    }

    [Fact]
    public void Addresses_are_read_where_they_are_shown()
    {
        BtfWriter w = new();
        uint octet = w.Int("unsigned char", 1);
        uint word = w.Int("unsigned int", 4);
        uint address = w.Struct("in6_addr", 16, ("in6_u", w.Array(octet, 16, word), 0));
        uint type = w.Struct(
            "s", 36, ("src", address, 0), ("h_dest", w.Array(octet, 6, word), 128), ("ips", w.Array(word, 2, word), 192),
            ("addr", w.Typedef("__be32", word), 256));
        BtfValueLayout layout = w.Parse().Layout(type);

        Assert.Equal(
            [
                0x20, 1, 0xd, 0xb8, .. new byte[11], 1,
                2, 0x42, 0xac, 0x11, 0, 10, 0, 0,
                10, 0, 0, 1, 5, 0, 0, 0,
                192, 168, 0, 1,
            ],
            Parsed(layout, ("src", "2001:db8::1"), ("h_dest", "02:42:ac:11:00:0A"), ("ips", "{10.0.0.1, 5}"), ("addr", "192.168.0.1")));
        Assert.Equal<byte>([1, 2, 3, 4, 5, 6], Parsed(layout, ("h_dest", "{1,2, 3 ,4,5,6}"))[16..22]);
        Assert.Equal<byte>([7, 0], Parsed(layout, ("src", "{.in6_u[1] = 7}"))[1..3]);
    }

    [Fact]
    public void Raw_values_are_given_as_they_are_shown_raw()
    {
        BtfWriter w = new();
        uint port = w.Typedef("__be16", w.Int("unsigned short", 2));
        BtfValueLayout layout = w.Parse().Layout(port);
        byte[] value = new byte[2];

        new BtfValueParser(layout, rawValues: true).Parse([("", "47873")], value);

        Assert.Equal([1, 187], value);
        Assert.Equal([1, 187], Parsed(layout, ("", "443")));
    }

    [Fact]
    public void Another_member_of_a_union_is_not_missing()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint octets = w.Array(w.Int("unsigned char", 1), 8, word);
        uint named = w.Union("u", 8, ("a", word), ("b", octets));
        uint type = w.Struct(
            "s", 24, ("", w.Union("", 8, ("whole", octets), ("part", word)), 0), ("either", named, 64), ("", word, 128),
            ("none", w.Array(word, 0, word), 160), ("last", word, 160));
        BtfValueParser parser = new(w.Parse().Layout(type));
        byte[] value = new byte[24];

        Assert.Equal(["whole", "part", "either", "last"], parser.Parse([], value));
        Assert.Equal(["last"], parser.Parse([("part", "1"), ("either", "{.a = 2}")], value));
        Assert.Equal<byte>([1, 0, 0, 0, 0, 0, 0, 0, 2], value[..9]);
        Assert.Equal(["whole", "part", "either"], parser.Parse([("", "{.last = 3}")], value));
    }

    public static TheoryData<string, string, string> Refused => new()
    {
        { "nothing", "1", "struct s has no field 'nothing': it has number, small, ok, state, real, old, text, list, pair, saddr, raw, quad, x, bits." },
        { "numbr", "1", "Did you mean number?" },
        { "pair.z", "1", "struct pair has no field 'z': it has a, b. Did you mean a or b?" },
        { "pair.", "1", "has no field ''" },
        { "number.a", "1", "int has no field 'a': it has no fields." },
        { "list[3]", "1", "'3' is no index of int[3], whose 3 elements count from 0." },
        { "list[-1]", "1", "'-1' is no index" },
        { "list[1", "1", "'[1' is not an index such as [3]." },
        { "number[0]", "1", "int is no array" },
        { "number", "2147483648", "number: '2147483648' is not a number from -2147483648 to 2147483647." },
        { "number", "0x100000000", "is not a number from" },
        { "number", "08", "is not a number from" },
        { "number", "4x", "is not a number from" },
        { "number", "", "is not a number from" },
        { "number", "'a'", "is not a number from" },
        { "number", "0xfffffffffffffffffffffffffffffffff", "is not a number from" },
        { "number", "07777777777777777777777777777777777777777777777777777", "is not a number from" },
        { "small", "-1", "small: '-1' is not a number from 0 to 255." },
        { "ok", "2", "ok: '2' is not true, false, 1 or 0." },
        { "state", "ONN", "state: 'ONN' is not one of ON, OFF or a number from 0 to 4294967295. Did you mean ON?" },
        { "real", "1.5x", "real: '1.5x' is not a floating-point number of 4 bytes." },
        { "real", "1e99", "is not a floating-point number of 4 bytes." },
        { "old", "12", "old: '12' is not 16 bytes in hexadecimal." },
        { "text", "12345", "text: '12345' is not a text of at most 4 bytes: it has 5." },
        { "text", "\"12", "text: '\"12' is not a string of C" },
        { "text", "\"\\y\"", "is not a string of C" },
        { "text", "\"\\xg0\"", "is not a string of C" },
        { "list", "{1, 2}", "list: '{1, 2}' is not 3 elements in braces such as {1, 2, 3}." },
        { "list", "{1, 2, 3", "is not 3 elements" },
        { "list", "{1, 2, 3}}", "is not 3 elements" },
        { "list", "{1, 2, \"}", "is not 3 elements" },
        { "list", "{1, 2, y}", "list: 'y' is not a number from" },
        { "list", "{1, 2, }", "list: '' is not a number from" },
        { "pair", "1", "pair: '1' is not fields in braces such as {.a = 1, .b = 2}." },
        { "pair", "{1, 2}", "pair: '1' is not a field and its value such as .a = 1." },
        { "pair", "{.c = 2}", "struct pair has no field 'c'" },
        { "saddr", "10.0.0", "saddr: '10.0.0' is not an IPv4 address such as 10.0.0.1 or a number from 0 to 4294967295." },
        { "saddr", "10.0.0.010", "is not an IPv4 address" },
        { "raw", "2001:db8::1%1", "an IPv4 address" },
        { "quad", "1::2::3", "quad: '1::2::3' is not a number" },
        { "x", "ab", "x: 'ab' is not a character such as 'a' or a number from -128 to 127." },
        { "bits.b", "4", "bits.b: '4' is not one of ON, OFF or a number from 0 to 3." },
        { "", "{.number = 1", "struct s: '{.number = 1' is not fields in braces" },
        { "", new string('{', 70) + new string('}', 70), "nested more than 64 deep" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_no_value_is_refused_with_what_was_expected(string path, string text, string expected)
    {
        BtfWriter w = new();
        uint number = w.Int("int", 4, BtfIntEncoding.Signed);
        uint small = w.Int("unsigned char", 1);
        uint word = w.Int("unsigned int", 4);
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint state = w.Enum("state", 4, signed: false, ("ON", 1), ("OFF", 0));
        uint type = w.Struct(
            "s", 88,
            ("number", number, 0), ("small", small, 32), ("ok", w.Int("_Bool", 1, BtfIntEncoding.Bool), 40), ("state", state, 64),
            ("real", w.Float("float", 4), 96), ("old", w.Float("long double", 16), 128), ("text", w.Array(character, 4, word), 256),
            ("list", w.Array(number, 3, word), 288), ("pair", w.Struct("pair", 8, ("a", word, 0), ("b", word, 32)), 384),
            ("saddr", word, 448), ("raw", w.Struct("in_addr", 4, ("s_addr", word, 0)), 480), ("quad", word, 512), ("x", character, 544),
            ("bits", w.BitStruct("bits", 4, ("a", word, 0, 3), ("b", state, 3, 2)), 576));
        BtfValueLayout layout = w.Parse().Layout(type);

        BtfTextException refused = Assert.Throws<BtfTextException>(() => Parsed(layout, (path, text)));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("list", "list[1]")]
    [InlineData("a", "b")]
    [InlineData("", "list")]
    public void One_place_is_given_once(string first, string second)
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint type = w.Struct("s", 12, ("", w.Union("", 4, ("a", word), ("b", word)), 0), ("list", w.Array(word, 2, word), 32));
        BtfValueLayout layout = w.Parse().Layout(type);
        Dictionary<string, string> texts = new() { [""] = "{}", ["list"] = "{1, 2}" };

        BtfTextException refused = Assert.Throws<BtfTextException>(
            () => Parsed(layout, (first, texts.GetValueOrDefault(first, "1")), (second, texts.GetValueOrDefault(second, "1"))));

        Assert.Equal($"'{first}' and '{second}' are both given, and they are in one place.", refused.Message);
    }

    [Fact]
    public void Too_few_bytes_are_refused()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        BtfValueParser parser = new(w.Parse().Layout(word));

        Assert.Throws<ArgumentException>(() => parser.Parse([], new byte[3]));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void What_is_shown_can_be_given_back(bool bigEndian, bool rawValues)
    {
        Random random = new(2026);
        for (int i = 0; i < 500; i++)
        {
            BtfValueLayout layout = new RandomTypes(random, bigEndian).Layout();
            byte[] value = new byte[layout.Size];
            random.NextBytes(value);
            string shown = Rendered.Text(layout, "", rawValues, value);
            BtfValueParser parser = new(layout, rawValues);
            byte[] whole = new byte[layout.Size], inParts = new byte[layout.Size];

            Assert.Empty(parser.Parse([("", shown)], whole));
            Assert.Equal(shown, Rendered.Text(layout, "", rawValues, whole));

            Assert.True(layout.TryGetLeaves(1000, out IReadOnlyList<BtfField> leaves));
            List<(string, string)> parts = [.. leaves.Where(IsFirstInItsPlace).Select(leaf => (leaf.Name, Rendered.Text(leaf, rawValues, value)))];
            Assert.Empty(parser.Parse(parts, inParts));
            Assert.Equal(shown, Rendered.Text(layout, "", rawValues, inParts));

            // Of a union, the first member is the largest.
            bool IsFirstInItsPlace(BtfField leaf) => !leaves.TakeWhile(other => other != leaf).Any(leaf.Overlaps);
        }
    }

    private static byte[] Parsed(BtfValueLayout layout, params (string Path, string Text)[] assignments)
    {
        byte[] value = new byte[layout.Size];
        new BtfValueParser(layout).Parse(assignments, value);
        return value;
    }
}
