using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Elements;

/// <summary>How one entry's value lies in memory: one block, or one for each possible CPU, padded to 8 bytes.</summary>
/// <param name="BlockSize">Bytes of a block that hold data.</param>
/// <param name="BlockStride">Bytes from one block to the next.</param>
/// <param name="Size">Bytes in all.</param>
internal readonly record struct ValueShape(int BlockSize, int BlockStride, int Size)
{
    // The kernel copies padding from whatever was in memory; a reader that takes it for zero must fail here.
    private const byte Padding = 0xA5;

    public static ValueShape Of(MapInfo info, int possibleCpus)
    {
        int size = checked((int)info.ValueSize);
        int padded = checked((size + 7) / 8 * 8);
        return IsPerCpu(info.Type)
            ? new ValueShape(size, padded, checked(padded * possibleCpus))
            : new ValueShape(size, size, size);
    }

    public static bool IsPerCpu(BpfMapType type) => type is BpfMapType.PerCpuHash or BpfMapType.LruPerCpuHash
        or BpfMapType.PerCpuArray or BpfMapType.PerCpuCgroupStorage;

    /// <summary>A value of zeros.</summary>
    public byte[] Zero()
    {
        byte[] value = new byte[Size];
        for (int block = 0; block < Size; block += BlockStride)
        {
            value.AsSpan(block + BlockSize, BlockStride - BlockSize).Fill(Padding);
        }

        return value;
    }

    /// <summary>A copy of a value, but for its padding.</summary>
    public byte[] Copy(ReadOnlySpan<byte> value)
    {
        byte[] copy = Zero();
        Store(value, copy);
        return copy;
    }

    /// <summary>Overwrites a value, but for its padding.</summary>
    public void Store(ReadOnlySpan<byte> value, Span<byte> into)
    {
        if (value.Length != Size)
        {
            throw new ArgumentException($"a value of this map has {Size} bytes, not {value.Length}", nameof(value));
        }

        for (int block = 0; block < Size; block += BlockStride)
        {
            value.Slice(block, BlockSize).CopyTo(into[block..]);
        }
    }
}
