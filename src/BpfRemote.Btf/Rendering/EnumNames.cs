namespace BpfRemote.Btf;

/// <summary>The names of an enumeration's values as they are written, found by the bits of a value.</summary>
internal sealed class EnumNames
{
    private readonly int _width;
    private readonly ulong[] _values;
    private readonly byte[][] _names;

    /// <param name="enumeration">The enumeration.</param>
    /// <param name="write">Gives a name as it is written.</param>
    public EnumNames(BtfValueLayout enumeration, Func<string, byte[]> write)
    {
        IsSigned = enumeration.IsSigned;
        _width = enumeration.Size * 8;
        ulong mask = ulong.MaxValue >> (64 - _width);
        SortedDictionary<ulong, byte[]> names = [];
        foreach (BtfEnumerator enumerator in enumeration.Enumerators)
        {
            // Where two names share a value the first counts, as to bpftool.
            names.TryAdd((ulong)enumerator.Value & mask, write(enumerator.Name));
        }

        _values = [.. names.Keys];
        _names = [.. names.Values];
    }

    /// <summary>Whether values without a name can be below 0.</summary>
    public bool IsSigned { get; }

    /// <summary>Finds a name.</summary>
    /// <param name="bits">Of the value.</param>
    /// <param name="width">How many they are: fewer than the enumeration has, in a bitfield.</param>
    /// <param name="name">The name.</param>
    public bool TryGet(ulong bits, int width, out ReadOnlySpan<byte> name)
    {
        if (IsSigned && width < _width)
        {
            bits = (ulong)((long)(bits << (64 - width)) >> (64 - width)) & (ulong.MaxValue >> (64 - _width));
        }

        // Most enumerations count up from 0: then the value is the index.
        int index = bits < (ulong)_values.Length && _values[bits] == bits ? (int)bits : Array.BinarySearch(_values, bits);
        name = index >= 0 ? _names[index] : default;
        return index >= 0;
    }
}
