using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace BpfRemote.Agent.Maps.LookupBatch.Scans;

/// <summary>Keys of an lpm_trie (<c>struct bpf_lpm_trie_key</c>): prefix length in bits, then the prefix, most significant bit first.</summary>
internal static class TrieKey
{
    private const int HeaderSize = sizeof(uint);

    /// <summary>Compares two keys in the order in which the kernel walks a trie: bits ascending, and a longer prefix before the one
    /// that covers it. The order is intrinsic to the keys, whatever else is in the trie.</summary>
    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        uint leftLength = PrefixLength(left);
        uint rightLength = PrefixLength(right);
        uint common = Math.Min(leftLength, rightLength);
        int wholeBytes = (int)(common / 8);
        int order = left.Slice(HeaderSize, wholeBytes).SequenceCompareTo(right.Slice(HeaderSize, wholeBytes));
        int restBits = (int)(common % 8);
        if (order == 0 && restBits > 0)
        {
            int shift = 8 - restBits;
            order = (left[HeaderSize + wholeBytes] >> shift).CompareTo(right[HeaderSize + wholeBytes] >> shift);
        }

        if (order == 0 && leftLength != rightLength)
        {
            // One covers the other. Where they part, the longer one goes left (0) or right (1); both come before what covers them.
            return rightLength.CompareTo(leftLength);
        }

        return order;
    }

    /// <summary>Writes the part of a key that counts: the rest of it plays no role in the walk.</summary>
    /// <returns>The bytes written.</returns>
    public static int Write(ReadOnlySpan<byte> key, Span<byte> to)
    {
        int length = SignificantBytes(PrefixLength(key));
        BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)PrefixLength(key));
        key.Slice(HeaderSize, length).CopyTo(to[sizeof(ushort)..]);
        return sizeof(ushort) + length;
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <returns>The bytes read; 0 where they are no key of this size.</returns>
    public static int Read(ReadOnlySpan<byte> from, Span<byte> key)
    {
        if (from.Length < sizeof(ushort))
        {
            return 0;
        }

        uint prefixLength = BinaryPrimitives.ReadUInt16LittleEndian(from);
        int length = SignificantBytes(prefixLength);
        if (prefixLength > (uint)(key.Length - HeaderSize) * 8 || from.Length < sizeof(ushort) + length)
        {
            return 0;
        }

        key.Clear();
        MemoryMarshal.Write(key, prefixLength);
        from.Slice(sizeof(ushort), length).CopyTo(key[HeaderSize..]);
        return sizeof(ushort) + length;
    }

    private static uint PrefixLength(ReadOnlySpan<byte> key) => MemoryMarshal.Read<uint>(key);

    private static int SignificantBytes(uint prefixLength) => (int)((prefixLength + 7) / 8);
}
