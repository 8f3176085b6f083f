using System.Buffers.Binary;
using System.Text;

namespace BpfRemote.Btf.Tests;

/// <summary>Writes raw BTF by hand, record by record, right or wrong. Each method returns the new type's id.</summary>
/// <param name="bigEndian">The byte order.</param>
/// <param name="firstId">For split BTF, how many types the base has.</param>
/// <param name="firstName">For split BTF, how many bytes of strings the base has.</param>
internal sealed class BtfWriter(bool bigEndian = false, uint firstId = 1, uint firstName = 0)
{
    private readonly List<byte> _types = [];
    private readonly List<byte> _strings = firstName == 0 ? [0] : [];
    private uint _next = firstId;

    public uint Count => _next;

    public uint StringsLength => (uint)_strings.Count;

    public uint Int(string name, int size, BtfIntEncoding encoding = BtfIntEncoding.None, int? bits = null, int bitOffset = 0) =>
        Record(name, 1, 0, (uint)size, ((uint)encoding << 24) | ((uint)bitOffset << 16) | (uint)(bits ?? (size * 8)));

    public uint Ptr(uint type) => Record("", 2, 0, type);

    public uint Array(uint element, uint count, uint index) => Record("", 3, 0, 0, element, index, count);

    public uint Struct(string name, uint size, params (string Name, uint Type, uint BitOffset)[] members) =>
        Record(name, 4, members.Length, size, [.. members.SelectMany(m => new[] { Name(m.Name), m.Type, m.BitOffset })]);

    public uint Union(string name, uint size, params (string Name, uint Type)[] members) =>
        Record(name, 5, members.Length, size, [.. members.SelectMany(m => new[] { Name(m.Name), m.Type, 0u })]);

    /// <summary>A struct whose members say how many bits they take.</summary>
    public uint BitStruct(string name, uint size, params (string Name, uint Type, uint BitOffset, uint Bits)[] members) =>
        Record(
            name, 4, members.Length, size, flag: true,
            [.. members.SelectMany(m => new[] { Name(m.Name), m.Type, (m.Bits << 24) | m.BitOffset })]);

    public uint Enum(string name, uint size, bool signed, params (string Name, int Value)[] values) =>
        Record(name, 6, values.Length, size, signed, [.. values.SelectMany(v => new[] { Name(v.Name), (uint)v.Value })]);

    public uint Enum64(string name, bool signed, params (string Name, ulong Value)[] values) => Record(
        name, 19, values.Length, 8, signed,
        [.. values.SelectMany(v => new[] { Name(v.Name), (uint)v.Value, (uint)(v.Value >> 32) })]);

    public uint Fwd(string name, bool union) => Record(name, 7, 0, 0, flag: union, []);

    public uint Typedef(string name, uint type) => Record(name, 8, 0, type);

    public uint Volatile(uint type) => Record("", 9, 0, type);

    public uint Const(uint type) => Record("", 10, 0, type);

    public uint Restrict(uint type) => Record("", 11, 0, type);

    public uint Func(string name, uint prototype) => Record(name, 12, 1, prototype);

    public uint FuncProto(uint returned, params (string Name, uint Type)[] parameters) =>
        Record("", 13, parameters.Length, returned, [.. parameters.SelectMany(p => new[] { Name(p.Name), p.Type })]);

    public uint Var(string name, uint type, uint linkage) => Record(name, 14, 0, type, linkage);

    public uint DataSec(string name, uint size, params (uint Variable, uint Offset, uint Size)[] variables) =>
        Record(name, 15, variables.Length, size, [.. variables.SelectMany(v => new[] { v.Variable, v.Offset, v.Size })]);

    public uint Float(string name, uint size) => Record(name, 16, 0, size);

    public uint DeclTag(string tag, uint type, int component) => Record(tag, 17, 0, type, (uint)component);

    public uint TypeTag(string tag, uint type) => Record(tag, 18, 0, type);

    public uint Record(string name, uint kind, int items, uint sizeOrType, params uint[] words) =>
        Record(name, kind, items, sizeOrType, flag: false, words);

    public uint Record(string name, uint kind, int items, uint sizeOrType, bool flag, uint[] words)
    {
        Word(_types, Name(name));
        Word(_types, (flag ? 0x8000_0000 : 0) | (kind << 24) | (uint)items);
        Word(_types, sizeOrType);
        foreach (uint word in words)
        {
            Word(_types, word);
        }

        return _next++;
    }

    public byte[] ToArray()
    {
        List<byte> btf = bigEndian ? [0xeb, 0x9f, 1, 0] : [0x9f, 0xeb, 1, 0];
        Word(btf, 24);
        Word(btf, 0);
        Word(btf, (uint)_types.Count);
        Word(btf, (uint)_types.Count);
        Word(btf, (uint)_strings.Count);
        return [.. btf, .. _types, .. _strings];
    }

    public BtfTypes Parse(BtfTypes? baseBtf = null) => BtfTypes.Parse(ToArray(), baseBtf);

    /// <summary>Adds a name; gives its offset.</summary>
    public uint Name(string name)
    {
        if (name.Length == 0)
        {
            return 0;
        }

        uint offset = firstName + (uint)_strings.Count;
        _strings.AddRange(Encoding.UTF8.GetBytes(name));
        _strings.Add(0);
        return offset;
    }

    private void Word(List<byte> to, uint word)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, word);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, word);
        }

        to.AddRange(bytes);
    }
}
