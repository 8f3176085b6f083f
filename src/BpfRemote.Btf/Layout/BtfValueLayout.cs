using System.Diagnostics.CodeAnalysis;

namespace BpfRemote.Btf;

/// <summary>
/// How a value of one type lies in memory: sizes and offsets worked out, names and qualifiers taken off. Immutable; made by
/// <see cref="BtfTypes.Layout"/>, once for all values of a map. Parts of the same type share one layout.
/// </summary>
/// <remarks>A value takes at most 64 MiB, nests at most 64 deep, and has at most 65,536 types, fields and enumerators in all.</remarks>
public sealed class BtfValueLayout
{
    private static readonly Dictionary<string, BtfField> NoFields = [];

    private readonly BtfType _type;

    internal BtfValueLayout(BtfType type, BtfValueKind kind, int size, bool isBigEndian)
    {
        _type = type;
        Kind = kind;
        Size = size;
        Order = new(isBigEndian);
    }

    private BtfValueLayout(BtfValueLayout original, BtfType typedef, ValueMeaning meaning)
        : this(typedef, original.Kind, original.Size, original.Order.IsBigEndian)
    {
        IsSigned = original.IsSigned;
        BitOffset = original.BitOffset;
        BitSize = original.BitSize;
        IsCharacter = original.IsCharacter;
        Fields = original.Fields;
        ByName = original.ByName;
        Element = original.Element;
        Count = original.Count;
        Enumerators = original.Enumerators;
        Meaning = meaning == ValueMeaning.None ? original.Meaning : meaning;
        IsRenamed = true;
    }

    /// <summary>What a value is.</summary>
    public BtfValueKind Kind { get; }

    /// <summary>Bytes of one value.</summary>
    public int Size { get; }

    /// <summary>Bytes from one CPU's value to the next one's in a per-CPU map: <see cref="Size"/> rounded up to a multiple of 8.</summary>
    public int PerCpuStride => (Size + 7) / 8 * 8;

    /// <summary>The type as C writes it, without <c>const</c> and its like: a typedef's name where there is one.</summary>
    public string TypeName => _type.ToString();

    /// <summary>Whether an integer or an enumeration can be below 0.</summary>
    public bool IsSigned { get; internal init; }

    /// <summary>The fields of a struct, a union or a section, in their order; empty for others.</summary>
    public IReadOnlyList<BtfField> Fields { get; internal init; } = [];

    /// <summary>How the elements of an array lie in memory; null for others.</summary>
    public BtfValueLayout? Element { get; internal init; }

    /// <summary>Elements of an array; 0 for others.</summary>
    public int Count { get; internal init; }

    /// <summary>The named values of an enumeration; empty for others.</summary>
    public IReadOnlyList<BtfEnumerator> Enumerators { get; internal init; } = [];

    /// <summary>The first bit that counts of an integer that is not whole, 0 to 127.</summary>
    internal int BitOffset { get; init; }

    /// <summary>How many bits count of an integer that is not whole; 0 for others.</summary>
    internal int BitSize { get; init; }

    /// <summary>Whether an array of these is text: a <c>char</c>, which compilers describe as a signed number.</summary>
    internal bool IsCharacter { get; init; }

    /// <summary>Whether a typedef gave this its name.</summary>
    internal bool IsRenamed { get; }

    internal ValueMeaning Meaning { get; init; }

    internal BtfByteOrder Order { get; }

    /// <summary>The fields by name with those of anonymous members among them, at offsets in the whole.</summary>
    internal Dictionary<string, BtfField> ByName { get; init; } = NoFields;

    /// <summary>Finds a field, also inside of anonymous structs and unions; the offset is that in this whole.</summary>
    public bool TryGetField(string name, [NotNullWhen(true)] out BtfField? field) => ByName.TryGetValue(name, out field);

    /// <summary>Finds a part by what people write for it; its offset is that in this whole.</summary>
    /// <param name="path">Such as <c>stats.packets</c> or <c>slots[3]</c>; empty for the whole itself.</param>
    /// <exception cref="BtfTextException">There is no such part; the message says what there is.</exception>
    public BtfField FindField(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return FieldPath.Resolve(BtfField.Whole(this), path);
    }

    /// <summary>The fields that tables have columns for: those of nested structs with dotted names, at offsets in this whole.</summary>
    /// <remarks>
    /// What is no struct stays one leaf, arrays, addresses (<c>in6_addr</c>) and unions among them; the members of anonymous structs
    /// and unions are taken for fields of the whole, as C does, padding is left out, and of fields of one name in one place the first
    /// is taken. What has no fields, such as a number, is a leaf without a name.
    /// </remarks>
    /// <param name="limit">How many are wanted at most.</param>
    /// <param name="leaves">The leaves; the first <paramref name="limit"/> or fewer where there are more.</param>
    /// <returns>Whether these are all: false where there are more, or where they have names of more than a million characters.</returns>
    public bool TryGetLeaves(int limit, out IReadOnlyList<BtfField> leaves)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        LeafWalk walk = new(limit);
        bool complete = walk.TryAdd(this);
        leaves = walk.Leaves;
        return complete;
    }

    /// <summary>Reads a value. Nothing is copied.</summary>
    /// <param name="bytes">The value; what is behind <see cref="Size"/> is passed over.</param>
    /// <exception cref="ArgumentException">There are fewer than <see cref="Size"/> bytes.</exception>
    public BtfValue Read(ReadOnlySpan<byte> bytes)
    {
        RequireSize(bytes);
        return new(this, bytes[(BitOffset / 8)..Size], BitOffset % 8, BitSize);
    }

    internal void RequireSize(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size)
        {
            throw new ArgumentException($"{bytes.Length} bytes are no value of type {_type.Id}, which takes {Size}.", nameof(bytes));
        }
    }

    internal BtfValueLayout Renamed(BtfType typedef, ValueMeaning meaning) => new(this, typedef, meaning);
}
