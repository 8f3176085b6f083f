using System.Buffers.Binary;

namespace BpfRemote.Btf;

/// <summary>Reads the words of BTF in the byte order of the machine that wrote it.</summary>
internal readonly record struct BtfByteOrder(bool IsBigEndian)
{
    /// <summary>Whether it is not this machine's.</summary>
    public bool IsForeign => IsBigEndian == BitConverter.IsLittleEndian;

    public ushort UInt16(ReadOnlySpan<byte> bytes) =>
        IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    public uint UInt32(ReadOnlySpan<byte> bytes) =>
        IsBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    public ulong UInt64(ReadOnlySpan<byte> bytes) =>
        IsBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    public UInt128 UInt128(ReadOnlySpan<byte> bytes) =>
        IsBigEndian ? BinaryPrimitives.ReadUInt128BigEndian(bytes) : BinaryPrimitives.ReadUInt128LittleEndian(bytes);

    /// <summary>An unsigned integer of 1, 2, 4 or 8 bytes.</summary>
    public ulong Unsigned(ReadOnlySpan<byte> bytes, int size) => size switch
    {
        1 => bytes[0],
        2 => UInt16(bytes),
        4 => UInt32(bytes),
        _ => UInt64(bytes),
    };

    /// <summary>Bits counted from the least significant one on little-endian machines and from the most significant on others.</summary>
    /// <param name="bytes">Holds them.</param>
    /// <param name="bitOffset">The first, 0 to 7.</param>
    /// <param name="bitSize">How many, at most 128 - <paramref name="bitOffset"/>.</param>
    public UInt128 Bits(ReadOnlySpan<byte> bytes, int bitOffset, int bitSize)
    {
        int length = (bitOffset + bitSize + 7) / 8;
        UInt128 bits = 0;
        for (int i = 0; i < length; i++)
        {
            bits = (bits << 8) | bytes[IsBigEndian ? i : length - 1 - i];
        }

        bits >>= IsBigEndian ? (length * 8) - bitOffset - bitSize : bitOffset;
        return bits & (System.UInt128.MaxValue >> (128 - bitSize));
    }

    /// <summary>Writes bits counted as by <see cref="Bits"/>; those around them stay.</summary>
    /// <param name="bytes">Takes them.</param>
    /// <param name="bitOffset">The first, 0 to 7.</param>
    /// <param name="bitSize">How many, at most 128 - <paramref name="bitOffset"/>.</param>
    /// <param name="bits">The bits; those beyond <paramref name="bitSize"/> are passed over.</param>
    public void Write(Span<byte> bytes, int bitOffset, int bitSize, UInt128 bits)
    {
        int length = (bitOffset + bitSize + 7) / 8;
        int shift = IsBigEndian ? (length * 8) - bitOffset - bitSize : bitOffset;
        UInt128 mask = (System.UInt128.MaxValue >> (128 - bitSize)) << shift;
        bits = (bits << shift) & mask;
        for (int i = 0; i < length; i++)
        {
            ref byte octet = ref bytes[IsBigEndian ? length - 1 - i : i];
            octet = (byte)((octet & ~(byte)(mask >> (i * 8))) | (byte)(bits >> (i * 8)));
        }
    }
}
