using System.Buffers.Binary;

namespace BpfRemote.Btf;

/// <summary>One record of the types section: <c>struct btf_type</c> and what follows it, as words.</summary>
/// <param name="words">From the record on.</param>
/// <param name="isForeign">Whether the words are in the other byte order than this machine's.</param>
internal readonly ref struct BtfTypeRecord(ReadOnlySpan<uint> words, bool isForeign)
{
    /// <summary>Words of what every kind has.</summary>
    public const int HeadLength = 3;

    private readonly ReadOnlySpan<uint> _words = words;

    public uint NameOffset => At(0);

    public BtfKind Kind => (BtfKind)((Info >> 24) & 0x1f);

    /// <summary>How many items follow: members, enumerators, parameters or variables.</summary>
    public int ItemCount => (int)(Info & 0xffff);

    /// <summary>By kind: bitfield sizes in members, signed values, a union.</summary>
    public bool KindFlag => (Info & 0x8000_0000) != 0;

    /// <summary>By kind: a size in bytes, or the type that is referred to.</summary>
    public uint SizeOrType => At(2);

    /// <summary>Words of the whole record; -1 where the kind is not known.</summary>
    public int Length => Kind switch
    {
        BtfKind.Struct or BtfKind.Union or BtfKind.Enum64 or BtfKind.DataSec => HeadLength + (3 * ItemCount),
        BtfKind.Enum or BtfKind.FuncProto => HeadLength + (2 * ItemCount),
        BtfKind.Array => HeadLength + 3,
        BtfKind.Int or BtfKind.Var or BtfKind.DeclTag => HeadLength + 1,
        BtfKind.Void or > BtfKind.Enum64 => -1,
        _ => HeadLength,
    };

    private uint Info => At(1);

    /// <summary>A word of what follows the head.</summary>
    public uint Word(int index) => At(HeadLength + index);

    private uint At(int index) => isForeign ? BinaryPrimitives.ReverseEndianness(_words[index]) : _words[index];
}
