namespace BpfRemote.Btf.Tests;

public sealed class LeafTests
{
    [Fact]
    public void Nested_structs_give_dotted_names_at_offsets_in_the_whole()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint inner = w.Struct("inner", 8, ("a", word, 0), ("", w.Union("", 4, ("b", word), ("c", word)), 32));
        uint outer = w.Struct(
            "outer", 52,
            ("key", inner, 0), ("", inner, 64), ("list", w.Array(inner, 2, word), 128), ("either", w.Union("u", 4, ("x", word)), 256),
            ("peer", w.Struct("in6_addr", 16, ("all", w.Array(word, 4, word), 0)), 288));

        Assert.True(w.Parse().Layout(outer).TryGetLeaves(100, out IReadOnlyList<BtfField> leaves));

        Assert.Equal(
            [("key.a", 0), ("key.b", 4), ("key.c", 4), ("a", 8), ("b", 12), ("c", 12), ("list", 16), ("either", 32), ("peer", 36)],
            leaves.Select(leaf => (leaf.Name, leaf.Offset)));
    }

    [Fact]
    public void A_part_is_found_by_its_path_at_its_offset_in_the_whole()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint inner = w.Struct("inner", 16, ("a", word, 0), ("slots", w.Array(word, 3, word), 32));
        uint type = w.Struct("outer", 20, ("since", word, 0), ("stats", inner, 32));
        BtfValueLayout outer = w.Parse().Layout(type);

        BtfField slot = outer.FindField("stats.slots[2]");

        Assert.Equal((16, 4), (slot.Offset, slot.Layout.Size));
        Assert.Same(outer, outer.FindField("").Layout);
        Assert.Contains("it has since, stats", Assert.Throws<BtfTextException>(() => outer.FindField("stat.a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bitfields_are_leaves_and_padding_is_none()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint bits = w.BitStruct("bits", 4, ("low", word, 0, 3), ("", word, 3, 5), ("high", word, 8, 20));
        uint type = w.Struct("s", 8, ("count", word, 0), ("bits", bits, 32));

        Assert.True(w.Parse().Layout(type).TryGetLeaves(100, out IReadOnlyList<BtfField> leaves));

        Assert.Equal(
            [("count", 0, 0, 0), ("bits.low", 4, 0, 3), ("bits.high", 5, 0, 20)],
            leaves.Select(leaf => (leaf.Name, leaf.Offset, leaf.BitOffset, leaf.BitSize)));
    }

    [Fact]
    public void A_field_that_is_in_two_structs_of_a_union_is_one_leaf()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint group = w.Struct("", 8, ("saddr", word, 0), ("daddr", word, 32));
        uint type = w.Struct("iphdr", 12, ("id", word, 0), ("", w.Union("", 8, ("", group), ("addrs", group)), 32));

        Assert.True(w.Parse().Layout(type).TryGetLeaves(100, out IReadOnlyList<BtfField> leaves));

        Assert.Equal(["id", "saddr", "daddr"], leaves.Select(leaf => leaf.Name));
    }

    [Fact]
    public void A_scalar_is_one_leaf_without_a_name()
    {
        BtfWriter w = new();
        uint old = w.Int("old", 4, bits: 5, bitOffset: 9);

        Assert.True(w.Parse().Layout(old).TryGetLeaves(1, out IReadOnlyList<BtfField> leaves));

        Assert.Equal("17", Rendered.Text(Assert.Single(leaves), rawValues: false, 0, 17 << 1, 0, 0));
        Assert.Equal("", leaves[0].Name);
    }

    [Fact]
    public void A_sections_leaves_are_its_variables()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint pair = w.Struct("pair", 8, ("a", word, 0), ("b", word, 32));
        uint section = w.DataSec(".bss", 12, (w.Var("hits", word, 1), 0, 4), (w.Var("range", pair, 1), 4, 8));

        Assert.True(w.Parse().Layout(section).TryGetLeaves(3, out IReadOnlyList<BtfField> leaves));

        Assert.Equal(["hits", "range.a", "range.b"], leaves.Select(leaf => leaf.Name));
    }

    [Fact]
    public void More_leaves_than_are_wanted_are_told()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint type = w.Struct("s", 12, ("a", word, 0), ("b", word, 32), ("c", word, 64));
        BtfValueLayout layout = w.Parse().Layout(type);

        Assert.False(layout.TryGetLeaves(2, out IReadOnlyList<BtfField> leaves));
        Assert.Equal(["a", "b"], leaves.Select(leaf => leaf.Name));
        Assert.True(layout.TryGetLeaves(3, out _));
    }

    [Fact]
    public void What_doubles_at_each_level_is_not_walked_to_its_end()
    {
        BtfWriter w = new();
        uint empty = w.Struct("s", 0);
        for (int i = 0; i < 60; i++)
        {
            empty = w.Struct("s", 0, ("a", empty, 0), ("b", empty, 0));
        }

        uint longNames = w.Int("unsigned int", 4);
        for (int i = 0; i < 16; i++)
        {
            longNames = w.Struct("s", 4, (new string('a', 4000), longNames, 0), (new string('b', 4000), longNames, 0));
        }

        BtfTypes types = w.Parse();

        Assert.False(types.Layout(empty).TryGetLeaves(int.MaxValue, out IReadOnlyList<BtfField> leaves));
        Assert.Empty(leaves);
        Assert.False(types.Layout(longNames).TryGetLeaves(int.MaxValue, out leaves));
        Assert.InRange(leaves.Sum(leaf => leaf.Name.Length), 1, 1 << 20);
    }

    [Fact]
    public void A_column_is_written_from_the_whole_value()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint state = w.Enum("state", 4, signed: false, ("OFF", 0), ("ON", 1));
        uint key = w.Struct("key", 8, ("saddr", word, 0), ("dport", w.Typedef("__be16", w.Int("unsigned short", 2)), 32));
        uint bits = w.BitStruct("bits", 4, ("low", word, 0, 3), ("state", state, 3, 2), ("level", w.Int("int", 4, BtfIntEncoding.Signed), 5, 27));
        uint type = w.Struct("s", 16, ("key", key, 0), ("bits", bits, 64), ("seconds", w.Float("float", 4), 96));
        byte[] value = [10, 0, 0, 1, 1, 187, 0, 0, 0b111_01_101, 0xff, 0xff, 0xff, 0, 0, 0xc0, 0x3f];

        Assert.True(w.Parse().Layout(type).TryGetLeaves(100, out IReadOnlyList<BtfField> leaves));

        Assert.Equal(
            [
                ("key.saddr", "10.0.0.1", false), ("key.dport", "443", true), ("bits.low", "5", true), ("bits.state", "ON", false),
                ("bits.level", "-1", true), ("seconds", "1.5", true),
            ],
            leaves.Select(leaf => (leaf.Name, Rendered.Text(leaf, rawValues: false, value), new BtfTextFormat(leaf).IsNumber)));
        Assert.True(new BtfTextFormat(leaves[0], rawValues: true).IsNumber);
        Assert.Equal(
            "11 bytes are too few: what is written of them ends at byte 12. (Parameter 'value')",
            Assert.Throws<ArgumentException>(() => Rendered.Text(leaves[4], rawValues: false, value.AsSpan(0, 11))).Message);
    }
}
