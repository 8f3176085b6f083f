using System.Buffers.Binary;
using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>Keys and values by number: any two numbers within <see cref="KeyCount"/> give different keys.</summary>
internal static class EntryData
{
    private const int TrieBlock = 16;

    /// <summary>How many different keys a shape has, at most <paramref name="wanted"/>.</summary>
    public static int KeyCount(MapShape shape, int wanted)
    {
        int bytes = (int)shape.KeySize - (shape.Type == BpfMapType.LpmTrie ? sizeof(uint) : 0);
        return bytes >= 4 ? wanted : Math.Min(wanted, 1 << (8 * bytes));
    }

    /// <summary>The key of a number.</summary>
    public static byte[] Key(MapShape shape, int number)
    {
        byte[] key = new byte[shape.KeySize];
        if (shape.Type == BpfMapType.LpmTrie)
        {
            WriteTrieKey(key, number);
            return key;
        }

        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (uint)number);
        bytes[..Math.Min(bytes.Length, key.Length)].CopyTo(key);
        for (int i = bytes.Length; i < key.Length; i++)
        {
            key[i] = (byte)(i ^ number);
        }

        return key;
    }

    /// <summary>The number of a key that has at least 4 bytes beside a prefix length.</summary>
    public static int NumberOf(MapShape shape, ReadOnlySpan<byte> key) => shape.Type == BpfMapType.LpmTrie
        ? BinaryPrimitives.ReadInt32BigEndian(key[sizeof(uint)..])
        : BinaryPrimitives.ReadInt32LittleEndian(key);

    /// <summary>The bytes of a value, different in every place and for every number.</summary>
    public static byte[] Value(int length, int number)
    {
        byte[] value = new byte[length];
        ulong state = (ulong)number + 1;
        Span<byte> rest = value;
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        while (!rest.IsEmpty)
        {
            // splitmix64
            state += 0x9e3779b97f4a7c15;
            ulong mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
            MemoryMarshal.Write(word, mixed ^ (mixed >> 31));
            int taken = Math.Min(rest.Length, word.Length);
            word[..taken].CopyTo(rest);
            rest = rest[taken..];
        }

        return value;
    }

    /// <summary>Puts CPUs' values into blocks of a multiple of 8 bytes, as the kernel takes them.</summary>
    public static byte[] Pad(ReadOnlySpan<byte> packed, MapShape shape)
    {
        int size = (int)shape.ValueSize;
        int block = (size + 7) / 8 * 8;
        byte[] padded = new byte[packed.Length / size * block];
        for (int cpu = 0; cpu < packed.Length / size; cpu++)
        {
            packed.Slice(cpu * size, size).CopyTo(padded.AsSpan(cpu * block));
        }

        return padded;
    }

    /// <summary>Takes the padding between the blocks of CPUs out.</summary>
    public static byte[] Unpad(ReadOnlySpan<byte> padded, MapShape shape)
    {
        int size = (int)shape.ValueSize;
        int block = (size + 7) / 8 * 8;
        byte[] packed = new byte[padded.Length / block * size];
        for (int cpu = 0; cpu < padded.Length / block; cpu++)
        {
            padded.Slice(cpu * block, size).CopyTo(packed.AsSpan(cpu * size));
        }

        return packed;
    }

    /// <summary>One prefix of every 16 covers the others of its block.</summary>
    private static void WriteTrieKey(Span<byte> key, int number)
    {
        Span<byte> data = key[sizeof(uint)..];
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)number);
        int width = Math.Min(bytes.Length, data.Length);
        bytes[^width..].CopyTo(data);
        MemoryMarshal.Write(key, (uint)(number % TrieBlock == 0 ? (width * 8) - 4 : data.Length * 8));
    }
}
