namespace BpfRemote.Btf;

/// <summary>The names of an enumeration's values as they are written, found by the bits of a value.</summary>
internal sealed class EnumNames
{
    private readonly ulong[] _values;
    private readonly byte[][] _names;

    /// <param name="enumeration">The enumeration.</param>
    /// <param name="width">Bits that a value has here.</param>
    /// <param name="write">Gives a name as it is written.</param>
    public EnumNames(BtfValueLayout enumeration, int width, Func<string, byte[]> write)
    {
        IsSigned = enumeration.IsSigned;
        ulong mask = ulong.MaxValue >> (64 - width);
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
    public bool TryGet(ulong bits, out ReadOnlySpan<byte> name)
    {
        // Most enumerations count up from 0: then the value is the index.
        int index = bits < (ulong)_values.Length && _values[bits] == bits ? (int)bits : Array.BinarySearch(_values, bits);
        name = index >= 0 ? _names[index] : default;
        return index >= 0;
    }
}
