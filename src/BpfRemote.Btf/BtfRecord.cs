namespace BpfRemote.Btf;

/// <summary>One record of the types section: <c>struct btf_type</c> and what follows it, as raw words.</summary>
internal readonly ref struct BtfRecord(ReadOnlySpan<byte> bytes, BtfByteOrder order)
{
    /// <summary>Bytes of what every kind has.</summary>
    public const int HeadSize = 12;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public uint NameOffset => order.UInt32(_bytes);

    public BtfKind Kind => (BtfKind)((Info >> 24) & 0x1f);

    /// <summary>How many items follow: members, enumerators, parameters or variables.</summary>
    public int ItemCount => (int)(Info & 0xffff);

    /// <summary>By kind: bitfield sizes in members, signed values, a union.</summary>
    public bool KindFlag => (Info & 0x8000_0000) != 0;

    /// <summary>By kind: a size in bytes, or the type that is referred to.</summary>
    public uint SizeOrType => order.UInt32(_bytes[8..]);

    /// <summary>Bytes of the whole record; -1 where the kind is not known.</summary>
    public int Length => ItemSize is int item and >= 0 ? HeadSize + (HasItems ? item * ItemCount : item) : -1;

    private uint Info => order.UInt32(_bytes[4..]);

    private bool HasItems => Kind is BtfKind.Struct or BtfKind.Union or BtfKind.Enum or BtfKind.Enum64 or BtfKind.FuncProto
        or BtfKind.DataSec;

    private int ItemSize => Kind switch
    {
        BtfKind.Struct or BtfKind.Union or BtfKind.Enum64 or BtfKind.DataSec or BtfKind.Array => 12,
        BtfKind.Enum or BtfKind.FuncProto => 8,
        BtfKind.Int or BtfKind.Var or BtfKind.DeclTag => 4,
        BtfKind.Void or > BtfKind.Enum64 => -1,
        _ => 0,
    };

    /// <summary>A word of what follows the head.</summary>
    public uint Word(int index) => order.UInt32(_bytes[(HeadSize + (index * 4))..]);
}
