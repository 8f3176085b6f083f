namespace BpfRemote.Btf.Tests;

public sealed class TextTests
{
    [Fact]
    public void A_value_is_one_line_as_C_writes_it()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint number = w.Int("int", 4, BtfIntEncoding.Signed);
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint union = w.Union("", 4, ("whole", word), ("part", character));
        uint type = w.Struct(
            "s", 36,
            ("number", number, 0), ("", union, 32), ("list", w.Array(word, 2, word), 64), ("pointer", w.Ptr(0), 128),
            ("name", w.Array(character, 4, word), 192), ("state", w.Enum("e", 4, signed: false, ("ON", 1)), 224),
            ("ok", w.Int("_Bool", 1, BtfIntEncoding.Bool), 256), ("letter", w.Int("c", 1, BtfIntEncoding.Char), 264));
        byte[] value = new ValueBytes(bigEndian: false)
            .U32(unchecked((uint)-1)).U32('A').U32(1).U32(2).U64(0xffff_8880_0000_1000).U8("a\"\n"u8).U8(0xc3).U32(1).U8(1)
            .U8((byte)'x').U16(0).ToArray();

        Assert.Equal(
            """{.number = -1, {.whole = 65, .part = 65}, .list = {1, 2}, .pointer = 0xffff888000001000, """
            + """.name = "a\"\n\xc3", .state = ON, .ok = true, .letter = 'x'}""",
            Rendered.Text(w.Parse().Layout(type), value));
    }

    [Fact]
    public void Bitfields_are_what_their_type_is()
    {
        BtfWriter w = new();
        uint number = w.Int("int", 4, BtfIntEncoding.Signed);
        uint state = w.Enum("e", 4, signed: false, ("OFF", 0), ("ON", 3));
        uint level = w.Enum("l", 4, signed: true, ("LOST", -1));
        uint boolean = w.Int("_Bool", 1, BtfIntEncoding.Bool);
        uint type = w.BitStruct(
            "s", 4, ("n", number, 0, 3), ("", number, 3, 2), ("state", state, 5, 2), ("ok", boolean, 7, 1), ("l", level, 8, 3));

        Assert.Equal("{.n = -3, .state = ON, .ok = true, .l = LOST}", Rendered.Text(w.Parse().Layout(type), 0b1_11_10_101, 7, 0, 0));
    }

    [Fact]
    public void Sections_are_their_variables()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint type = w.DataSec(".bss", 8, (w.Var("hits", word, 1), 0, 4), (w.Var("misses", word, 1), 4, 4));

        Assert.Equal("{hits = 1, misses = 2}", Rendered.Text(w.Parse().Layout(type), 1, 0, 0, 0, 2, 0, 0, 0));
    }

    [Theory]
    [InlineData("saddr", "10.0.0.1")]
    [InlineData("saddr_v4", "10.0.0.1")]
    [InlineData("src_ip", "10.0.0.1")]
    [InlineData("remote_ip4", "10.0.0.1")]
    [InlineData("addr_len", "16777226")]
    [InlineData("skip", "16777226")]
    [InlineData("packets", "16777226")]
    public void Four_bytes_are_an_IPv4_address_where_the_field_says_so(string field, string expected)
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        BtfValueLayout layout = w.Parse().Layout(word);

        Assert.Equal(expected, Rendered.Text(layout, field, rawValues: false, 10, 0, 0, 1));
        Assert.Equal("16777226", Rendered.Text(layout, field, rawValues: true, 10, 0, 0, 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Network_order_is_told_by_type(bool bigEndian)
    {
        BtfWriter w = new(bigEndian);
        uint be16 = w.Typedef("__be16", w.Int("unsigned short", 2));
        uint be32 = w.Typedef("__be32", w.Int("unsigned int", 4));
        uint address = w.Struct("in_addr", 4, ("s_addr", be32, 0));
        uint route = w.Struct("route", 4, ("next_hop", be32, 0));
        uint type = w.Struct("s", 14, ("daddr", be32, 0), ("seq", be32, 32), ("dport", be16, 64), ("peer", address, 80));
        BtfTypes types = w.Parse();

        Assert.Equal(
            "{.daddr = 10.0.0.1, .seq = 258, .dport = 443, .peer = 192.168.0.255}",
            Rendered.Text(types.Layout(type), 10, 0, 0, 1, 0, 0, 1, 2, 1, 187, 192, 168, 0, 255));
        Assert.Equal("10.0.0.1", Rendered.Text(types.Layout(be32), 10, 0, 0, 1));
        Assert.Equal("{.next_hop = 10.0.0.1}", Rendered.Text(types.Layout(route), 10, 0, 0, 1));
        Assert.Equal(bigEndian ? "443" : "47873", Rendered.Text(types.Layout(be16), "", rawValues: true, 1, 187));
    }

    [Theory]
    [InlineData("20010db8000000000000000000000001", "2001:db8::1")]
    [InlineData("00000000000000000000000000000000", "::")]
    [InlineData("00000000000000000000000000000001", "::1")]
    [InlineData("fe800000000000000000000000000000", "fe80::")]
    [InlineData("20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1")]
    [InlineData("20010000000000010000000000000001", "2001:0:0:1::1")]
    [InlineData("00000000000000000000ffffc0a80001", "::ffff:192.168.0.1")]
    [InlineData("ffffffffffffffffffffffffffffffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    public void Sixteen_bytes_are_an_IPv6_address_where_type_or_field_says_so(string hex, string expected)
    {
        BtfWriter w = new();
        uint octet = w.Int("unsigned char", 1);
        uint octets = w.Array(octet, 16, octet);
        uint address = w.Struct("in6_addr", 16, ("in6_u", w.Union("", 16, ("u6_addr8", octets)), 0));
        BtfTypes types = w.Parse();
        byte[] value = Convert.FromHexString(hex);

        Assert.Equal(expected, Rendered.Text(types.Layout(address), value));
        Assert.Equal(expected, Rendered.Text(types.Layout(octets), "saddr", rawValues: false, value));
        Assert.StartsWith("{", Rendered.Text(types.Layout(octets), "data", rawValues: false, value), StringComparison.Ordinal);
    }

    [Fact]
    public void Six_bytes_are_a_MAC_where_the_field_says_so()
    {
        BtfWriter w = new();
        uint octet = w.Int("unsigned char", 1);
        uint octets = w.Array(octet, 6, octet);
        BtfValueLayout layout = w.Parse().Layout(w.Count - 1);

        Assert.Equal(octets, w.Count - 1);
        Assert.Equal("02:42:ac:11:00:0a", Rendered.Text(layout, "h_dest", rawValues: false, 2, 0x42, 0xac, 0x11, 0, 10));
        Assert.Equal("{2, 66, 172, 17, 0, 10}", Rendered.Text(layout, "h_dest", rawValues: true, 2, 0x42, 0xac, 0x11, 0, 10));
        Assert.Equal("{2, 66, 172, 17, 0, 10}", Rendered.Text(layout, "data", rawValues: false, 2, 0x42, 0xac, 0x11, 0, 10));
    }
}
