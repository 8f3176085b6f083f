using System.Runtime.InteropServices;

namespace BpfRemote.Btf;

/// <summary>
/// A value read in place: <c>value["stats"]["packets"].ReadUInt64()</c>. Nothing is copied or allocated; the bytes must stay as long
/// as the value is used.
/// </summary>
public readonly ref struct BtfValue
{
    private readonly int _bitOffset;
    private readonly int _bitSize;

    internal BtfValue(BtfValueLayout layout, ReadOnlySpan<byte> bytes, int bitOffset, int bitSize)
    {
        Layout = layout;
        Bytes = bytes;
        _bitOffset = bitOffset;
        _bitSize = bitSize;
    }

    /// <summary>How it lies in memory.</summary>
    public BtfValueLayout Layout { get; }

    /// <summary>Its bytes; of a bitfield, those from its first bit on to the end of the whole.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Elements of an array; 0 for others.</summary>
    public int Count => Layout.Count;

    /// <summary>A field, also inside of anonymous structs and unions.</summary>
    /// <exception cref="KeyNotFoundException">There is no such field.</exception>
    public BtfValue this[string name] =>
        TryGetField(name, out BtfValue field)
            ? field
            : throw new KeyNotFoundException($"{Layout.TypeName} has no field {name}.");

    /// <summary>An element of an array.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is not below <see cref="Count"/>.</exception>
    public BtfValue this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            BtfValueLayout element = Layout.Element!;
            return element.Read(Bytes.Slice(index * element.Size, element.Size));
        }
    }

    /// <summary>Finds a field, also inside of anonymous structs and unions.</summary>
    public bool TryGetField(string name, out BtfValue field)
    {
        if (!Layout.TryGetField(name, out BtfField? found))
        {
            field = default;
            return false;
        }

        field = Field(found);
        return true;
    }

    /// <summary>A field of this value's layout, found once by <see cref="BtfValueLayout.TryGetField"/>: for reading many values.</summary>
    public BtfValue Field(BtfField field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return new(
            field.Layout,
            field.BitSize != 0 ? Bytes[field.Offset..] : Bytes.Slice(field.Offset, field.Layout.Size),
            field.BitOffset,
            field.BitSize);
    }

    /// <summary>An integer, enumeration, boolean, character or pointer that is not below 0.</summary>
    /// <exception cref="InvalidOperationException">It is none of these.</exception>
    /// <exception cref="OverflowException">It is below 0 or takes more than 64 bits.</exception>
    public ulong ReadUInt64() => Layout.IsSigned ? checked((ulong)ReadInt128()) : checked((ulong)Bits());

    /// <summary>An integer, enumeration, boolean, character or pointer.</summary>
    /// <exception cref="InvalidOperationException">It is none of these.</exception>
    /// <exception cref="OverflowException">It does not fit.</exception>
    public long ReadInt64() => Layout.IsSigned ? checked((long)ReadInt128()) : checked((long)Bits());

    /// <summary>An integer of any size, signed or not; what is unsigned and has the 128th bit set wraps.</summary>
    /// <exception cref="InvalidOperationException">It has no number.</exception>
    public Int128 ReadInt128()
    {
        UInt128 bits = Bits();
        int width = _bitSize != 0 ? _bitSize : Layout.Size * 8;
        return Layout.IsSigned ? (Int128)(bits << (128 - width)) >> (128 - width) : (Int128)bits;
    }

    /// <summary>Whether a boolean or a number is not 0.</summary>
    /// <exception cref="InvalidOperationException">It is neither.</exception>
    public bool ReadBoolean() => Bits() != 0;

    /// <summary>A floating-point number of 2, 4 or 8 bytes.</summary>
    /// <exception cref="InvalidOperationException">It is none.</exception>
    public double ReadDouble() => Layout.Kind == BtfValueKind.Float
        ? Layout.Size <= sizeof(double)
            ? FloatBits.Read(Layout.Order.Unsigned(Bytes, Layout.Size), Layout.Size)
            : throw Not("a float of 2, 4 or 8 bytes")
        : throw Not("a float");

    /// <summary>The characters of a <c>char</c> array before its first zero byte, or all of them.</summary>
    /// <exception cref="InvalidOperationException">It is no array of <c>char</c>.</exception>
    public ReadOnlySpan<byte> ReadText()
    {
        if (Layout.Element is not { IsCharacter: true })
        {
            throw Not("an array of char");
        }

        int end = Bytes.IndexOf((byte)0);
        return end < 0 ? Bytes : Bytes[..end];
    }

    /// <summary>The name of an enumeration's value; null where it has none.</summary>
    /// <exception cref="InvalidOperationException">It is no enumeration.</exception>
    public string? ReadEnumName()
    {
        if (Layout.Kind != BtfValueKind.Enumeration)
        {
            throw Not("an enumeration");
        }

        ulong mask = ulong.MaxValue >> (64 - (Layout.Size * 8));
        ulong bits = unchecked((ulong)ReadInt128()) & mask;
        IReadOnlyList<BtfEnumerator> enumerators = Layout.Enumerators;
        for (int i = 0; i < enumerators.Count; i++)
        {
            if (((ulong)enumerators[i].Value & mask) == bits)
            {
                return enumerators[i].Name;
            }
        }

        return null;
    }

    /// <summary>Copies the value into a struct of the same size, such as one laid out as the C one is.</summary>
    /// <exception cref="InvalidOperationException">The sizes differ.</exception>
    public T ReadAs<T>()
        where T : unmanaged
    {
        ReadOnlySpan<T> whole = MemoryMarshal.Cast<byte, T>(Bytes);
        return whole.Length == 1 && MemoryMarshal.AsBytes(whole).Length == Bytes.Length
            ? whole[0]
            : throw Not($"of the size of {typeof(T).Name}");
    }

    private UInt128 Bits() => Layout.Kind switch
    {
        >= BtfValueKind.Float => throw Not("a number"),
        _ when _bitSize != 0 => Layout.Order.Bits(Bytes, _bitOffset, _bitSize),
        _ when Layout.Size == 16 => Layout.Order.UInt128(Bytes),
        _ => Layout.Order.Unsigned(Bytes, Layout.Size),
    };

    private InvalidOperationException Not(string expected) =>
        new($"A value of {Layout.TypeName}, a {Layout.Kind} of {Layout.Size} bytes, is not {expected}.");
}
