namespace BpfRemote.Btf.Tests;

public sealed class MapDefinitionTests
{
    [Fact]
    public void Maps_are_read_as_the_macros_define_them()
    {
        BtfWriter w = new();
        uint word = w.Int("int", 4, BtfIntEncoding.Signed);
        uint key = w.Typedef("key_t", w.Struct("conn_key", 12, ("saddr", word, 0)));
        uint values = w.Array(w.Const(w.Ptr(0)), 3, word);
        uint typed = w.Struct(
            "", 24, ("type", w.Ptr(w.Array(word, 1, word)), 0), ("key", w.Ptr(key), 64), ("value", w.Typedef("p", w.Ptr(values)), 128));
        uint sized = w.Struct(
            "", 16, ("key_size", w.Ptr(w.Array(word, 4, word)), 0), ("value_size", w.Ptr(w.Typedef("n", w.Array(word, 20, word))), 64));
        uint ring = w.Struct("", 8, ("max_entries", w.Ptr(w.Array(word, 4096, word)), 0));
        uint open = w.Struct("", 16, ("key", w.Ptr(w.Fwd("later", union: false)), 0), ("value", w.Ptr(w.Array(key, 0xffff_ffff, word)), 64));
        w.DataSec(
            ".maps", 0,
            (w.Var("conns", w.Volatile(w.Typedef("t", typed)), 1), 0, 24), (w.Var("blocks", sized, 1), 24, 16),
            (w.Var("events", ring, 1), 40, 8), (w.Var("unknown", open, 1), 48, 16));

        Assert.Equal(
            [
                new("conns", key, values, 12, 24),
                new("blocks", null, null, 4, 20),
                new("events", null, null, null, null),
                new("unknown", open - 4, open - 2, null, null),
            ],
            BtfMapDefinition.ReadAll(w.Parse()));
    }

    [Fact]
    public void A_program_without_maps_defines_none()
    {
        BtfWriter w = new();
        w.Int("int", 4);

        Assert.Empty(BtfMapDefinition.ReadAll(w.Parse()));
    }

    public static TheoryData<string, byte[]> Refused
    {
        get
        {
            TheoryData<string, byte[]> data = [];
            Add("Type 1 in .maps is of kind Int, not a variable", w => w.DataSec(".maps", 0, (w.Int("int", 4), 0, 4)));
            Add("The map m is defined by a type of kind Int", w => Map(w, w.Int("int", 4)));
            Add("The key of the map m is of kind Int", w => Map(w, w.Struct("", 4, ("key", w.Int("int", 4), 0))));
            Add("The value of the map m is of kind Struct", w => Map(w, w.Struct("", 0, ("value", w.Struct("s", 0), 0))));
            Add("The key_size of the map m points at a Int", w => Map(w, w.Struct("", 8, ("key_size", w.Ptr(w.Int("int", 4)), 0))));
            Add("The value_size of the map m is of kind Void", w => Map(w, w.Struct("", 8, ("value_size", 0, 0))));
            Add("The map m is defined by a type of kind Const", w => Map(w, w.Const(1))); // of itself, without end
            return data;

            void Add(string expected, Action<BtfWriter> write)
            {
                BtfWriter w = new();
                write(w);
                data.Add(expected, w.ToArray());
            }

            static uint Map(BtfWriter w, uint type) => w.DataSec(".maps", 8, (w.Var("m", type, 1), 0, 8));
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_no_macro_makes_is_refused(string expected, byte[] btf) => Assert.Contains(
        expected, Assert.Throws<BtfFormatException>(() => BtfMapDefinition.ReadAll(BtfTypes.Parse(btf))).Message, StringComparison.Ordinal);
}
