namespace BpfRemote.Btf.Tests;

public sealed class LayoutTests
{
    [Fact]
    public void Names_and_qualifiers_are_taken_off()
    {
        BtfWriter w = new();
        uint integer = w.Int("unsigned int", 4);
        uint type = w.Const(w.Typedef("__be32", w.Typedef("__u32", w.TypeTag("t", w.Volatile(integer)))));

        BtfValueLayout layout = w.Parse().Layout(type);

        Assert.Equal((BtfValueKind.Integer, 4, "__be32", false), (layout.Kind, layout.Size, layout.TypeName, layout.IsSigned));
    }

    [Fact]
    public void Parts_of_one_type_share_a_layout()
    {
        BtfWriter w = new();
        uint integer = w.Int("int", 4);
        uint pair = w.Struct("pair", 8, ("a", integer, 0), ("b", integer, 32));

        BtfValueLayout layout = w.Parse().Layout(pair);

        Assert.Same(layout.Fields[0].Layout, layout.Fields[1].Layout);
    }

    public static TheoryData<string, byte[], uint> Impossible
    {
        get
        {
            TheoryData<string, byte[], uint> data = [];
            Add("contains itself", w => w.Struct("s", 4, ("a", 1, 0)));
            Add("contains itself", w => w.Typedef("t", 1));
            Add("contains itself", w => w.Const(w.Volatile(2)));
            Add("contains itself", w => w.Array(1, 1, 1));
            Add("contains itself", w =>
            {
                w.Struct("s", 4, ("a", 2, 0));
                return w.Union("u", 4, ("b", 1));
            });
            Add("There is no type 7", w => 7);
            Add("is of kind Void", w => 0);
            Add("is of kind Fwd", w => w.Fwd("later", union: false));
            Add("is of kind FuncProto", w => w.FuncProto(0));
            Add("a section, is type 1 of kind Int", w => w.DataSec(".bss", 4, (w.Int("int", 4), 0, 4)));
            Add("ends at byte 6 of 4", w => w.DataSec(".bss", 4, (w.Var("v", w.Int("int", 4), 1), 2, 4)));
            Add("ends at bit 64, outside of its 4 bytes", w => w.Struct("s", 4, ("a", w.Int("long", 8), 0)));
            Add("takes 0 bits from bit 4", w => w.Struct("s", 8, ("a", w.Ptr(0), 4)));
            Add("takes 33 bits", w => w.BitStruct("s", 8, ("a", w.Int("int", 4), 0, 33)));
            Add("takes 4 bits from bit 0 on, which a Pointer", w => w.BitStruct("s", 8, ("a", w.Ptr(0), 0, 4)));
            Add("takes 126 bits from bit 3", w => w.BitStruct("s", 32, ("a", w.Int("__int128", 16), 3, 126)));
            Add("4294967295 elements of 4 bytes", w => w.Array(w.Int("int", 4), uint.MaxValue, 1));
            Add("4294967295 elements of 0 bytes", w => w.Array(w.Struct("nothing", 0), uint.MaxValue, 1));
            Add("takes 4294967295 bytes", w => w.Struct("s", uint.MaxValue));
            Add("nested more than 64 deep", w =>
            {
                uint type = w.Int("int", 4);
                for (int i = 0; i < 64; i++)
                {
                    type = w.Struct("s", 4, ("a", type, 0));
                }

                return type;
            });
            Add("more than 65536 types, fields and enumerators", w =>
            {
                uint integer = w.Int("int", 4);
                uint first = w.Struct("s", 4, [.. Enumerable.Repeat(("", integer, 0u), 65_000)]);
                uint second = w.Struct("s", 4, [.. Enumerable.Repeat(("", integer, 0u), 65_000)]);
                return w.Struct("s", 8, ("a", first, 0), ("b", second, 32));
            });
            return data;

            void Add(string reason, Func<BtfWriter, uint> write)
            {
                BtfWriter w = new();
                uint type = write(w);
                data.Add(reason, w.ToArray(), type);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Impossible))]
    public void What_has_no_values_is_refused(string reason, byte[] btf, uint type)
    {
        BtfTypes types = BtfTypes.Parse(btf);

        BtfFormatException refused = Assert.Throws<BtfFormatException>(() => types.Layout(type));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_struct_that_doubles_at_each_level_is_not_written_out()
    {
        BtfWriter w = new();
        uint type = w.Struct("s", 0);
        for (int i = 0; i < 40; i++)
        {
            type = w.Struct("s", 0, ("a", type, 0), ("b", type, 0));
        }

        // The layout is small, as the levels are shared; only what is written would have no end.
        BtfValueLayout layout = w.Parse().Layout(type);

        Assert.Contains("has more than", Assert.Throws<BtfFormatException>(() => new BtfJsonFormat(layout)).Message, StringComparison.Ordinal);
        Assert.Contains("has more than", Assert.Throws<BtfFormatException>(() => new BtfTextFormat(layout)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Anonymous_members_that_double_at_each_level_take_no_time_to_look_into()
    {
        BtfWriter w = new();
        uint type = w.Struct("", 4, ("x", w.Int("int", 4), 0));
        for (int i = 0; i < 60; i++)
        {
            type = w.Union("", 4, ("", type), ("", type));
        }

        BtfValueLayout layout = w.Parse().Layout(type);

        Assert.True(layout.TryGetField("x", out _));
        Assert.False(layout.TryGetField("y", out _));
    }

    [Fact]
    public void Elements_without_size_are_not_written_without_end()
    {
        BtfWriter w = new();
        uint nothing = w.Struct("nothing", 0);
        uint rows = w.Array(w.Array(nothing, 60_000, nothing), 60_000, nothing);

        BtfValueLayout layout = w.Parse().Layout(rows);

        Assert.Contains("when it is written", Assert.Throws<BtfFormatException>(() => new BtfJsonFormat(layout)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_union_of_large_texts_is_not_written_without_end()
    {
        BtfWriter w = new();
        uint character = w.Int("char", 1);
        uint text = w.Array(character, 60 << 20, character);
        uint union = w.Union("u", 60 << 20, [.. Enumerable.Repeat(("t", text), 60_000)]);

        BtfValueLayout layout = w.Parse().Layout(union);

        Assert.Throws<BtfFormatException>(() => new BtfJsonFormat(layout));
        Assert.Throws<BtfFormatException>(() => new BtfTextFormat(layout));
    }

    [Fact]
    public void Fields_of_one_enumeration_share_its_names()
    {
        BtfWriter w = new();
        uint large = w.Enum("e", 4, signed: false, [.. Enumerable.Range(0, 30_000).Select(i => ($"E{i}", i))]);
        uint type = w.Struct("s", 4, [.. Enumerable.Repeat(("f", large, 0u), 30_000)]);
        BtfValueLayout layout = w.Parse().Layout(type);

        long before = GC.GetAllocatedBytesForCurrentThread();
        BtfJsonFormat format = new(layout);

        Assert.NotNull(format);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
    }

    [Fact]
    public void A_name_of_more_than_4096_bytes_is_refused()
    {
        BtfWriter w = new();
        uint integer = w.Int("int", 4);
        uint allowed = w.Struct("s", 4, (new string('x', 4096), integer, 0));
        uint tooLong = w.Struct("s", 4, (new string('x', 4097), integer, 0));
        BtfTypes types = w.Parse();

        Assert.Equal(4, types.Layout(allowed).Size);
        Assert.Throws<BtfFormatException>(() => types.Layout(tooLong));
    }
}
