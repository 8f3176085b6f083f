using System.Buffers.Binary;
using BpfRemote.Client;
using BpfRemote.DemoMaps;
using BpfRemote.Libbpf;
using BpfRemote.V1;

namespace BpfRemote.EndToEnd.Maps;

/// <summary>A map whose every entry follows from its number, from 0 to below <see cref="Count"/>, and back.</summary>
internal sealed class KnownMap : IDisposable
{
    private const int UpdateBatch = 10_000;
    private const uint BPF_F_NO_PREALLOC = 1;

    // Odd, so multiplication modulo 2^32 is a permutation, and this is its inverse: numbers scattered over all keys.
    private const uint Scatter = 0x9E3779B1;
    private const uint Gather = 0x0E8B2F51;

    private readonly BpfMapType _type;
    private readonly int _keySize;

    private KnownMap(BpfMapType type, int count, uint valueSize)
    {
        _type = type;
        _keySize = type == BpfMapType.LpmTrie ? 8 : 4;
        Count = count;
        Map = WritableMap.Create(new()
        {
            Type = type,
            Name = "e2e_known",
            KeySize = (uint)_keySize,
            ValueSize = valueSize,
            MaxEntries = (uint)Math.Max(count, 1),
            Flags = type == BpfMapType.LpmTrie ? BPF_F_NO_PREALLOC : 0,
        });
    }

    /// <summary>How many entries it has.</summary>
    public int Count { get; }

    /// <summary>The map.</summary>
    public WritableMap Map { get; }

    /// <summary>The map, for a request.</summary>
    public MapSelector Selector => MapSelectors.ById(Map.Id);

    /// <summary>Makes and fills a map.</summary>
    /// <param name="type">A hash, array or LPM type that takes keys of 4 bytes, or 4 and a prefix length.</param>
    /// <param name="count">How many entries.</param>
    /// <param name="valueSize">A multiple of 8 bytes, so that per-CPU values have no padding.</param>
    public static KnownMap Create(BpfMapType type, int count, uint valueSize = 8)
    {
        KnownMap map = new(type, count, valueSize);
        byte[] keys = new byte[UpdateBatch * map._keySize];
        byte[] values = new byte[UpdateBatch * map.Map.ValueStride];
        for (int start = 0; start < count; start += UpdateBatch)
        {
            int batch = Math.Min(UpdateBatch, count - start);
            for (int i = 0; i < batch; i++)
            {
                map.KeyOf(start + i).CopyTo(keys.AsSpan(i * map._keySize));
                map.WriteValue(start + i, values.AsSpan(i * map.Map.ValueStride, map.Map.ValueStride));
            }

            map.Map.UpdateBatch(keys.AsSpan(0, batch * map._keySize), values.AsSpan(0, batch * map.Map.ValueStride), batch);
        }

        return map;
    }

    /// <summary>The key of an entry.</summary>
    public byte[] KeyOf(int number)
    {
        byte[] key = new byte[_keySize];
        if (_type == BpfMapType.LpmTrie)
        {
            BitConverter.TryWriteBytes(key, 32u);
            BinaryPrimitives.WriteUInt32BigEndian(key.AsSpan(4), (uint)number * Scatter);
        }
        else
        {
            BitConverter.TryWriteBytes(key, IsIndexed ? (uint)number : (uint)number * Scatter);
        }

        return key;
    }

    /// <summary>The value of an entry, all CPUs' where it is per CPU.</summary>
    public byte[] ValueOf(int number)
    {
        byte[] value = new byte[Map.ValueStride];
        WriteValue(number, value);
        return value;
    }

    /// <summary>The number of the entry with a key; not below <see cref="Count"/> where there is none.</summary>
    public uint NumberOf(ReadOnlySpan<byte> key) => _type == BpfMapType.LpmTrie
        ? BitConverter.ToUInt32(key) == 32 ? BinaryPrimitives.ReadUInt32BigEndian(key[4..]) * Gather : uint.MaxValue
        : BitConverter.ToUInt32(key) * (IsIndexed ? 1 : Gather);

    /// <summary>Whether a value is the one of an entry.</summary>
    public bool IsValueOf(int number, ReadOnlySpan<byte> value)
    {
        Span<byte> expected = stackalloc byte[Map.ValueStride];
        WriteValue(number, expected);
        return value.SequenceEqual(expected);
    }

    public void Dispose() => Map.Dispose();

    private bool IsIndexed => _type is BpfMapType.Array or BpfMapType.PerCpuArray;

    private void WriteValue(int number, Span<byte> value)
    {
        for (int i = 0; i < value.Length; i += sizeof(ulong))
        {
            BitConverter.TryWriteBytes(value[i..], ((ulong)number << 16) + (ulong)i + 1);
        }
    }
}
