namespace BpfRemote.Btf.Tests;

public sealed class TypeNameTests
{
    private readonly BtfTypes _types;
    private readonly Dictionary<string, uint> _ids = [];

    public TypeNameTests()
    {
        BtfWriter w = new();
        uint word = _ids["unsigned int"] = w.Int("unsigned int", 4);
        _ids["unsigned long"] = w.Int("long unsigned int", 8);
        _ids["short"] = w.Int("short", 2, BtfIntEncoding.Signed);
        _ids["signed char"] = w.Int("signed char", 1, BtfIntEncoding.Signed);
        _ids["char"] = w.Int("char", 1, BtfIntEncoding.Signed);
        _ids["_Bool"] = w.Int("_Bool", 1, BtfIntEncoding.Bool);
        _ids["__u32"] = w.Typedef("__u32", word);
        _ids["conn_key"] = w.Struct("conn_key", 4, ("saddr", word, 0));
        w.Typedef("conn_key", word);
        _ids["state"] = w.Enum("state", 4, signed: false, ("ON", 1));
        w.Typedef("state", word);
        _ids["wide"] = w.Enum64("wide", signed: false, ("ON", 1));
        _ids["either"] = w.Union("either", 4, ("a", word));
        _ids["double"] = w.Float("double", 8);
        _ids[".bss"] = w.DataSec(".bss", 0);
        _ids["twice"] = w.Struct("twice", 4);
        w.Struct("twice", 8);
        w.Fwd("later", union: false);
        _types = w.Parse();
    }

    [Theory]
    [InlineData("conn_key", "conn_key")]
    [InlineData(" struct  conn_key ", "conn_key")]
    [InlineData("state", "state")]
    [InlineData("enum state", "state")]
    [InlineData("enum wide", "wide")]
    [InlineData("union either", "either")]
    [InlineData("either", "either")]
    [InlineData("__u32", "__u32")]
    [InlineData("unsigned int", "unsigned int")]
    [InlineData("unsigned", "unsigned int")]
    [InlineData("unsigned long", "unsigned long")]
    [InlineData("unsigned long int", "unsigned long")]
    [InlineData("short int", "short")]
    [InlineData("signed short", "short")]
    [InlineData("signed char", "signed char")]
    [InlineData("char", "char")]
    [InlineData("_Bool", "_Bool")]
    [InlineData("double", "double")]
    [InlineData(".bss", ".bss")]
    public void A_type_is_found_by_the_name_that_C_has_for_it(string name, string expected) =>
        Assert.Equal(_ids[expected], _types.FindType(name).Id);

    [Fact]
    public void A_number_is_a_types_id() => Assert.Equal(_ids["twice"], _types.FindType($"{_ids["twice"]}").Id);

    [Theory]
    [InlineData("twice", "'twice' may be type 16 (struct twice, 4 bytes) or type 17 (struct twice, 8 bytes)")]
    [InlineData("u32", "There is no type 'u32'. Did you mean __u32?")]
    [InlineData("struct con_key", "There is no type 'struct con_key'. Did you mean conn_key?")]
    [InlineData("eiter", "There is no type 'eiter'. Did you mean either?")]
    [InlineData("struct either", "There is no type 'struct either'.")]
    [InlineData("later", "There is no type 'later'.")]
    [InlineData("99", "There is no type '99'.")]
    [InlineData("", "'' is not the name of a type, such as")]
    [InlineData("struct", "'struct' is not the name of a type")]
    [InlineData("const int", "'const int' is not the name of a type")]
    [InlineData("struct conn_key *", "pointers, arrays and qualified types have none")]
    public void What_is_not_found_is_said_with_what_there_is(string name, string expected) =>
        Assert.Contains(expected, Assert.Throws<BtfTextException>(() => _types.FindType(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_kernels_types_are_found_by_name()
    {
        BtfTypes kernel = BtfTypes.Parse(KernelBtf.Read());

        Assert.Equal("struct task_struct", kernel.FindType("task_struct").ToString());
        Assert.Equal(BtfKind.Int, kernel.FindType("unsigned long long").Kind);
        Assert.Contains(
            "Did you mean task_struct?", Assert.Throws<BtfTextException>(() => kernel.FindType("struct task_strct")).Message, StringComparison.Ordinal);
    }
}
