using System.Numerics;
using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Elements;

/// <summary>lpm_trie: prefixes in the order of the kernel's trie read leaves first.</summary>
/// <remarks>That order does not depend on how the trie grew: bits ascend, and a longer prefix comes before the one that covers
/// it. So a sorted list reads the same. Source: kernel/bpf/lpm_trie.c.</remarks>
internal sealed class TrieElements(MapInfo info, ValueShape shape) : MapElements(info, shape)
{
    private readonly List<Prefix> _prefixes = [];
    private readonly int _maxBits = checked(((int)info.KeySize - sizeof(uint)) * 8);

    /// <summary>The value of the longest prefix that covers the key, which itself need not be there.</summary>
    public override Errno Lookup(ReadOnlySpan<byte> key, Span<byte> value)
    {
        if (!TryParse(key, out int bits, out ReadOnlySpan<byte> data))
        {
            return Errno.ENOENT;
        }

        while (true)
        {
            int position = Find(data, bits);
            if (position < 0)
            {
                position = ~position;
                if (position == _prefixes.Count)
                {
                    return Errno.ENOENT;
                }
            }

            // Whatever covers the key comes after it, the longest first. Where something else is next, it parts from the key
            // at a bit that no covering prefix can reach beyond, or it would have come first.
            Prefix next = _prefixes[position];
            int common = CommonBits(next.Data, data, Math.Min(next.Bits, bits));
            if (common == next.Bits)
            {
                next.Value.CopyTo(value);
                return Errno.None;
            }

            bits = common;
        }
    }

    /// <summary>A key that is not there, also one that is too long, restarts at the first.</summary>
    public override Errno NextKey(ReadOnlySpan<byte> key, Span<byte> nextKey)
    {
        int position = 0;
        if (!key.IsEmpty && TryParse(key, out int bits, out ReadOnlySpan<byte> data))
        {
            position = Math.Max(0, Find(data, bits) + 1);
        }

        if (position == _prefixes.Count)
        {
            return Errno.ENOENT;
        }

        _prefixes[position].Key.CopyTo(nextKey);
        return Errno.None;
    }

    public override Errno Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (!TryParse(key, out int bits, out ReadOnlySpan<byte> data))
        {
            return Errno.EINVAL;
        }

        // The kernel keeps, and gives back, the bits beyond the prefix as the last writer gave them.
        Prefix added = new(key.ToArray(), bits, Shape.Copy(value));
        int position = Find(data, bits);
        if (position >= 0)
        {
            _prefixes[position] = added;
            return Errno.None;
        }

        if (_prefixes.Count == Info.MaxEntries)
        {
            return Errno.ENOSPC;
        }

        _prefixes.Insert(~position, added);
        return Errno.None;
    }

    public override Errno Delete(ReadOnlySpan<byte> key)
    {
        if (!TryParse(key, out int bits, out ReadOnlySpan<byte> data))
        {
            return Errno.EINVAL;
        }

        int position = Find(data, bits);
        if (position < 0)
        {
            return Errno.ENOENT;
        }

        _prefixes.RemoveAt(position);
        return Errno.None;
    }

    private bool TryParse(ReadOnlySpan<byte> key, out int bits, out ReadOnlySpan<byte> data)
    {
        uint given = MemoryMarshal.Read<uint>(key);
        bool fits = given <= _maxBits;
        bits = fits ? (int)given : 0;
        data = key[sizeof(uint)..];
        return fits;
    }

    /// <summary>The position of a prefix; where it is not there, the complement of the one it would take.</summary>
    private int Find(ReadOnlySpan<byte> data, int bits)
    {
        int low = 0;
        int high = _prefixes.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            int order = Compare(_prefixes[middle], data, bits);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle);
        }

        return ~low;
    }

    private static int Compare(Prefix prefix, ReadOnlySpan<byte> data, int bits)
    {
        int shorter = Math.Min(prefix.Bits, bits);
        int common = CommonBits(prefix.Data, data, shorter);
        return common == shorter
            ? bits.CompareTo(prefix.Bits)
            : prefix.Data[common / 8].CompareTo(data[common / 8]);
    }

    private static int CommonBits(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, int limit)
    {
        int bytes = left.CommonPrefixLength(right);
        int bits = bytes == left.Length
            ? bytes * 8
            : (bytes * 8) + BitOperations.LeadingZeroCount((uint)(left[bytes] ^ right[bytes]) << 24);
        return Math.Min(bits, limit);
    }

    private sealed record Prefix(byte[] Key, int Bits, byte[] Value)
    {
        public ReadOnlySpan<byte> Data => Key.AsSpan(sizeof(uint));
    }
}
