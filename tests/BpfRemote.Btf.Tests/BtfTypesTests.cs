namespace BpfRemote.Btf.Tests;

public sealed class BtfTypesTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_kind_is_read_in_both_byte_orders(bool bigEndian)
    {
        BtfWriter w = new(bigEndian);
        uint integer = w.Int("int", 4, BtfIntEncoding.Signed);
        uint pointer = w.Ptr(integer);
        uint array = w.Array(integer, 300, integer);
        uint structure = w.Struct("pair", 8, ("a", integer, 0), ("b", integer, 32));
        uint union = w.Union("either", 8, ("number", integer), ("address", pointer));
        uint enumeration = w.Enum("state", 4, signed: true, ("LOST", -1), ("OFF", 0));
        uint forward = w.Fwd("later", union: true);
        uint typedef = w.Typedef("number_t", integer);
        uint qualified = w.Const(w.Volatile(w.Restrict(pointer)));
        uint prototype = w.FuncProto(integer, ("first", integer), ("", 0));
        uint function = w.Func("call", prototype);
        uint variable = w.Var("counter", typedef, linkage: 1);
        uint section = w.DataSec(".bss", 16, (variable, 4, 4));
        uint real = w.Float("double", 8);
        uint declared = w.DeclTag("kept", structure, 1);
        uint tagged = w.TypeTag("percpu", integer);
        uint wide = w.Enum64("wide", signed: false, ("HIGH", 0x8000_0000_0000_0001));
        uint bits = w.BitStruct("flags", 4, ("low", integer, 0, 3), ("high", integer, 3, 29));

        BtfTypes types = w.Parse();

        Assert.Equal(bigEndian, types.IsBigEndian);
        Assert.Equal(w.Count, types.Count);
        Assert.Equal(BtfKind.Void, types[0].Kind);
        Assert.Equal(
            ("int", 4u, 32, 0, BtfIntEncoding.Signed),
            (types[integer].Name, types[integer].Size, types[integer].IntBits, types[integer].IntBitOffset, types[integer].IntEncoding));
        Assert.Equal((BtfKind.Ptr, integer), (types[pointer].Kind, types[pointer].ReferredTypeId));
        Assert.Equal((integer, 300u, integer), (types[array].ReferredTypeId, types[array].ElementCount, types[array].IndexTypeId));
        Assert.Equal(new("b", integer, 32, 0), types[structure].Member(1));
        Assert.Equal((2, new BtfMember("address", pointer, 0, 0)), (types[union].ItemCount, types[union].Member(1)));
        Assert.Equal(new("LOST", -1), types[enumeration].Enumerator(0));
        Assert.True(types[forward].KindFlag);
        Assert.Equal(("number_t", integer), (types[typedef].Name, types[typedef].ReferredTypeId));
        Assert.Equal("const volatile int * restrict", types[qualified].ToString());
        Assert.Equal(new("first", integer), types[prototype].Parameter(0));
        Assert.Equal(prototype, types[function].ReferredTypeId);
        Assert.Equal((typedef, 1u), (types[variable].ReferredTypeId, types[variable].Linkage));
        Assert.Equal(new(variable, 4, 4), types[section].Variable(0));
        Assert.Equal(8u, types[real].Size);
        Assert.Equal((structure, 1), (types[declared].ReferredTypeId, types[declared].TaggedComponent));
        Assert.Equal((BtfKind.TypeTag, integer), (types[tagged].Kind, types[tagged].ReferredTypeId));
        Assert.Equal(0x8000_0000_0000_0001, (ulong)types[wide].Enumerator(0).Value);
        Assert.Equal(new("high", integer, 3, 29), types[bits].Member(1));
    }

    [Fact]
    public void Split_BTF_goes_on_where_its_base_ends()
    {
        BtfWriter kernel = new();
        uint integer = kernel.Int("int", 4);
        BtfWriter module = new(firstId: kernel.Count, firstName: kernel.StringsLength);
        uint own = module.Struct("own", 8, ("a", integer, 0), ("b", integer, 32));

        BtfTypes types = module.Parse(kernel.Parse());

        Assert.Equal(kernel.Count + 1, types.Count);
        Assert.Equal("int", types[integer].Name);
        Assert.Equal(("own", 8), (types[own].Name, types.Layout(own).Size));
        Assert.Equal(integer, types.Find(BtfKind.Int, "int")?.Id);
        Assert.Equal(own, types.Find(BtfKind.Struct, "own")?.Id);
        Assert.Null(types.Find(BtfKind.Struct, "ow"));
        Assert.Throws<BtfFormatException>(() => module.Parse());
        Assert.Throws<BtfFormatException>(() => module.Parse(new BtfWriter(bigEndian: true).Parse()));
    }

    [Fact]
    public void What_a_kind_does_not_have_cannot_be_asked()
    {
        BtfWriter w = new();
        uint integer = w.Int("int", 4);
        uint pointer = w.Ptr(integer);
        BtfTypes types = w.Parse();

        Assert.Throws<InvalidOperationException>(() => types[integer].ReferredTypeId);
        Assert.Throws<InvalidOperationException>(() => types[pointer].Size);
        Assert.Throws<InvalidOperationException>(() => types[pointer].Member(0));
        Assert.Throws<InvalidOperationException>(() => types[0].ReferredTypeId);
        Assert.Throws<ArgumentOutOfRangeException>(() => types[3]);
    }

    [Fact]
    public void A_cut_at_any_byte_is_refused()
    {
        BtfWriter w = new();
        uint integer = w.Int("int", 4);
        w.Struct("pair", 8, ("a", integer, 0), ("b", integer, 32));
        w.Enum("state", 4, signed: false, ("OFF", 0));
        byte[] whole = w.ToArray();

        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Throws<BtfFormatException>(() => BtfTypes.Parse(whole.AsMemory(0, length)));
        }

        Assert.Equal(4u, BtfTypes.Parse(whole).Count);
    }

    [Theory]
    [InlineData(0, 0x00, "magic")]
    [InlineData(2, 2, "version 2")]
    [InlineData(4, 23, "The header says it takes 23")]
    [InlineData(4, 255, "The header says it takes 255")]
    [InlineData(8, 1, "not aligned")]
    [InlineData(12, 20, "overlap")]
    [InlineData(16, 0, "overlap")]
    [InlineData(23, 0x80, "The strings end at byte")]
    public void A_wrong_header_is_refused(int at, byte value, string reason)
    {
        BtfWriter w = new();
        w.Int("int", 4);
        byte[] btf = w.ToArray();
        btf[at] = value;

        BtfFormatException refused = Assert.Throws<BtfFormatException>(() => BtfTypes.Parse(btf));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[]> WrongRecords
    {
        get
        {
            TheoryData<string, byte[]> data = [];
            Add("kind that is not known: 20", w => w.Record("", 20, 0, 0));
            Add("kind that is not known: 0", w => w.Record("", 0, 0, 0));
            Add("cut off", w => w.Record("", 4, 65_535, 4));
            Add("refers to type 9, and there are 2", w => w.Ptr(9));
            Add("refers to type 9", w => w.Array(9, 1, 1));
            Add("refers to type 9", w => w.Array(1, 1, 9));
            Add("refers to type 9", w => w.Struct("s", 4, ("a", 9, 0)));
            Add("refers to type 9", w => w.FuncProto(1, ("a", 9)));
            Add("refers to type 9", w => w.DataSec(".bss", 4, (9, 0, 4)));
            Add("has a name at 77", w => w.Record("", 4, 1, 4, 77, 1, 0));
            Add("is at bit 33", w => w.Struct("s", 4, ("a", 1, 33)));
            Add("before the one it follows", w => w.Struct("s", 8, ("a", 1, 32), ("b", 1, 0)));
            Add("a Union of 4 bytes, is at bit 8", w => w.Record("", 5, 1, 4, 0, 1, 8));
            Add("an integer of 33 bits up to bit 33 in 4 bytes", w => w.Int("i", 4, bits: 33));
            Add("an integer of 0 bits", w => w.Int("i", 4, bits: 0));
            Add("an integer of 8 bits up to bit 40", w => w.Int("i", 4, bits: 8, bitOffset: 32));
            Add("an enumeration of 3 bytes", w => w.Enum("e", 3, signed: false));
            Add("a float of 5 bytes", w => w.Float("f", 5));
            return data;

            void Add(string reason, Func<BtfWriter, uint> write)
            {
                BtfWriter w = new();
                write(w);
                data.Add(reason, w.ToArray());
            }
        }
    }

    [Theory]
    [MemberData(nameof(WrongRecords))]
    public void A_wrong_record_is_refused(string reason, byte[] btf)
    {
        BtfFormatException refused = Assert.Throws<BtfFormatException>(() => BtfTypes.Parse(btf));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }
}
