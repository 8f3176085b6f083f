namespace BpfRemote.Btf.Tests;

/// <summary>Cuts one type of a large BTF out, with all that it holds by value.</summary>
internal sealed class BtfSlice
{
    private readonly BtfTypes _types;
    private readonly BtfWriter _writer = new();
    private readonly Dictionary<uint, uint> _copied = new() { [0] = 0 };

    private BtfSlice(BtfTypes types) => _types = types;

    public static byte[] Of(BtfTypes types, uint id)
    {
        BtfSlice slice = new(types);
        slice.Copy(id);
        return slice._writer.ToArray();
    }

    private uint Copy(uint id)
    {
        if (!_copied.TryGetValue(id, out uint copy))
        {
            copy = _copied[id] = Write(_types[id]);
        }

        return copy;
    }

    private uint Write(BtfType type) => type.Kind switch
    {
        BtfKind.Int => _writer.Int(type.Name, (int)type.Size, type.IntEncoding, type.IntBits, type.IntBitOffset),
        BtfKind.Ptr => _writer.Ptr(0),
        BtfKind.Array => _writer.Array(Copy(type.ReferredTypeId), type.ElementCount, Copy(type.IndexTypeId)),
        BtfKind.Struct or BtfKind.Union => _writer.Record(
            type.Name, (uint)type.Kind, type.ItemCount, type.Size, type.KindFlag,
            [.. Enumerable.Range(0, type.ItemCount).SelectMany(i => Words(type.Member(i)))]),
        BtfKind.Enum => _writer.Enum(
            type.Name, type.Size, type.KindFlag,
            [.. Enumerable.Range(0, type.ItemCount).Select(type.Enumerator).Select(e => (e.Name, (int)e.Value))]),
        BtfKind.Typedef => _writer.Typedef(type.Name, Copy(type.ReferredTypeId)),
        _ => _writer.Const(Copy(type.ReferredTypeId)),
    };

    private uint[] Words(BtfMember member) =>
        [_writer.Name(member.Name), Copy(member.TypeId), ((uint)member.BitfieldSize << 24) | member.BitOffset];
}
