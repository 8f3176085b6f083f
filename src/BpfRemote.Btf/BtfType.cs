using System.Text;

namespace BpfRemote.Btf;

/// <summary>
/// One type, read from the bytes when asked. Members that a kind does not have throw <see cref="InvalidOperationException"/>; a name
/// of more than 4,096 bytes throws <see cref="BtfFormatException"/>.
/// </summary>
public readonly struct BtfType : IEquatable<BtfType>
{
    private readonly BtfTypes _types;

    internal BtfType(BtfTypes types, uint id)
    {
        _types = types;
        Id = id;
    }

    /// <summary>The type's id; 0 is <c>void</c>.</summary>
    public uint Id { get; }

    /// <summary>What kind of type it is.</summary>
    public BtfKind Kind => Record.Kind;

    /// <summary>Its name; empty where it has none.</summary>
    public string Name => Encoding.UTF8.GetString(NameUtf8);

    /// <summary>Its name as it is in the bytes, without the zero byte at the end.</summary>
    public ReadOnlySpan<byte> NameUtf8 => _types.NameAt(Record.NameOffset);

    /// <summary>
    /// By kind: that <see cref="BtfKind.Struct"/> members carry bitfield sizes, that an enumeration is signed, that a
    /// <see cref="BtfKind.Fwd"/> is a union.
    /// </summary>
    public bool KindFlag => Record.KindFlag;

    /// <summary>Bytes of one value: of an integer, a float, an enumeration, a struct, a union or a section.</summary>
    public uint Size => HasSize ? Record.SizeOrType : throw No(nameof(Size));

    /// <summary>
    /// What is pointed at, renamed, qualified, tagged or declared; of an array, the type of an element; of a function prototype, what
    /// is returned.
    /// </summary>
    public uint ReferredTypeId => Kind switch
    {
        BtfKind.Array => Record.Word(0),
        BtfKind.Void or BtfKind.Fwd => throw No(nameof(ReferredTypeId)),
        _ when HasSize => throw No(nameof(ReferredTypeId)),
        _ => Record.SizeOrType,
    };

    /// <summary>Elements of an array.</summary>
    public uint ElementCount => Only(BtfKind.Array, nameof(ElementCount)).Word(2);

    /// <summary>The integer type that an array is indexed with; nothing depends on it.</summary>
    public uint IndexTypeId => Only(BtfKind.Array, nameof(IndexTypeId)).Word(1);

    /// <summary>How an integer's bytes are meant.</summary>
    public BtfIntEncoding IntEncoding => (BtfIntEncoding)((Only(BtfKind.Int, nameof(IntEncoding)).Word(0) >> 24) & 0xf);

    /// <summary>The first bit of an integer that counts; not 0 only in bitfields of old compilers.</summary>
    public int IntBitOffset => (int)(Only(BtfKind.Int, nameof(IntBitOffset)).Word(0) >> 16) & 0xff;

    /// <summary>How many bits of an integer count, 1 to 128.</summary>
    public int IntBits => (int)Only(BtfKind.Int, nameof(IntBits)).Word(0) & 0xff;

    /// <summary>Whether a variable is static (0), global (1) or extern (2).</summary>
    public uint Linkage => Only(BtfKind.Var, nameof(Linkage)).Word(0);

    /// <summary>Which member or parameter a tag belongs to; -1 for the whole.</summary>
    public int TaggedComponent => (int)Only(BtfKind.DeclTag, nameof(TaggedComponent)).Word(0);

    /// <summary>How many members, enumerators, parameters or variables there are.</summary>
    public int ItemCount => Record.ItemCount;

    /// <summary>Whether a value is one of another type, that this one only names, qualifies or tags.</summary>
    internal bool IsWrapper => Kind is BtfKind.Typedef or BtfKind.Const or BtfKind.Volatile or BtfKind.Restrict or BtfKind.TypeTag;

    internal bool HasSize => Kind is BtfKind.Int or BtfKind.Struct or BtfKind.Union or BtfKind.Enum or BtfKind.Enum64 or BtfKind.Float
        or BtfKind.DataSec;

    private BtfTypeRecord Record => _types.Record(Id);

    /// <summary>Whether two types are the same record of the same BTF.</summary>
    public static bool operator ==(BtfType left, BtfType right) => left.Equals(right);

    /// <summary>Whether two types are not the same record of the same BTF.</summary>
    public static bool operator !=(BtfType left, BtfType right) => !left.Equals(right);

    /// <summary>A member of a struct or a union.</summary>
    /// <param name="index">Below <see cref="ItemCount"/>.</param>
    public BtfMember Member(int index)
    {
        BtfTypeRecord record = Item(index, Kind is BtfKind.Struct or BtfKind.Union, nameof(Member));
        uint word = record.Word((index * 3) + 2);
        return record.KindFlag
            ? new(NameAt(record.Word(index * 3)), record.Word((index * 3) + 1), word & 0xff_ffff, (int)(word >> 24))
            : new(NameAt(record.Word(index * 3)), record.Word((index * 3) + 1), word, BitfieldSize: 0);
    }

    /// <summary>A named value of an enumeration, of 32 or 64 bits.</summary>
    /// <param name="index">Below <see cref="ItemCount"/>.</param>
    public BtfEnumerator Enumerator(int index)
    {
        BtfTypeRecord record = Item(index, Kind is BtfKind.Enum or BtfKind.Enum64, nameof(Enumerator));
        if (record.Kind == BtfKind.Enum64)
        {
            ulong value = record.Word((index * 3) + 1) | ((ulong)record.Word((index * 3) + 2) << 32);
            return new(NameAt(record.Word(index * 3)), (long)value);
        }

        uint word = record.Word((index * 2) + 1);
        return new(NameAt(record.Word(index * 2)), record.KindFlag ? (int)word : word);
    }

    /// <summary>A parameter of a function prototype; without a name and of type 0 it stands for <c>…</c>.</summary>
    /// <param name="index">Below <see cref="ItemCount"/>.</param>
    public BtfParameter Parameter(int index)
    {
        BtfTypeRecord record = Item(index, Kind == BtfKind.FuncProto, nameof(Parameter));
        return new(NameAt(record.Word(index * 2)), record.Word((index * 2) + 1));
    }

    /// <summary>A variable of a section.</summary>
    /// <param name="index">Below <see cref="ItemCount"/>.</param>
    public BtfSectionVariable Variable(int index)
    {
        BtfTypeRecord record = Item(index, Kind == BtfKind.DataSec, nameof(Variable));
        return new(record.Word(index * 3), record.Word((index * 3) + 1), record.Word((index * 3) + 2));
    }

    /// <summary>The type as C writes it, such as <c>struct conn_key</c> or <c>const char *</c>; what is nested too deeply is <c>…</c>.</summary>
    public override string ToString() => CName(depth: 0);

    /// <summary>Whether it is the same record of the same BTF.</summary>
    public bool Equals(BtfType other) => Id == other.Id && ReferenceEquals(_types, other._types);

    /// <summary>Whether it is the same record of the same BTF.</summary>
    public override bool Equals(object? obj) => obj is BtfType other && Equals(other);

    /// <summary>Of the id.</summary>
    public override int GetHashCode() => Id.GetHashCode();

    private string CName(int depth)
    {
        const int deepest = 8;
        return Kind switch
        {
            _ when depth == deepest => "…",
            BtfKind.Void => "void",
            BtfKind.Struct => $"struct {Name}",
            BtfKind.Union => $"union {Name}",
            BtfKind.Fwd => $"{(KindFlag ? "union" : "struct")} {Name}",
            BtfKind.Enum or BtfKind.Enum64 => $"enum {Name}",
            BtfKind.Ptr => $"{_types[ReferredTypeId].CName(depth + 1)} *",
            BtfKind.Array => $"{_types[ReferredTypeId].CName(depth + 1)}[{ElementCount}]",
            BtfKind.Const => $"const {_types[ReferredTypeId].CName(depth + 1)}",
            BtfKind.Volatile => $"volatile {_types[ReferredTypeId].CName(depth + 1)}",
            BtfKind.Restrict => $"{_types[ReferredTypeId].CName(depth + 1)} restrict",
            BtfKind.TypeTag => _types[ReferredTypeId].CName(depth + 1),
            BtfKind.FuncProto => $"{_types[ReferredTypeId].CName(depth + 1)} ()",
            _ => Name,
        };
    }

    private string NameAt(uint offset) => Encoding.UTF8.GetString(_types.NameAt(offset));

    private BtfTypeRecord Only(BtfKind kind, string property) => Kind == kind ? Record : throw No(property);

    private BtfTypeRecord Item(int index, bool ofThisKind, string item)
    {
        BtfTypeRecord record = Record;
        if (!ofThisKind)
        {
            throw No(item);
        }

        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, record.ItemCount);
        return record;
    }

    private InvalidOperationException No(string property) => new($"Type {Id} is of kind {Kind}, which has no {property}.");
}
