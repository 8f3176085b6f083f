using System.Buffers;
using System.Numerics;
using BpfRemote.Agent.Limits;
using BpfRemote.V1;

namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>The entries of one response, where the kernel writes them: packed keys, packed values.</summary>
/// <remarks>What the request does not include is read into the same place again and again, and counted.</remarks>
internal sealed class EntryBuffer(uint keySize, uint valueStride, Include include, BufferAccount account) : IDisposable
{
    private readonly bool _keepsKeys = include is not Include.CountOnly;
    private readonly bool _keepsValues = include is not (Include.CountOnly or Include.Keys);
    private byte[] _keys = [];
    private byte[] _values = [];

    /// <summary>Entries so far.</summary>
    public int Count { get; private set; }

    /// <summary>The keys so far, <c>Count × key_size</c> bytes; empty where they are not included.</summary>
    public ReadOnlyMemory<byte> Keys => _keepsKeys ? _keys.AsMemory(0, Size(Count, keySize)) : default;

    /// <summary>The values so far, <c>Count × value_stride</c> bytes; empty where they are not included.</summary>
    public ReadOnlyMemory<byte> Values => _keepsValues ? _values.AsMemory(0, Size(Count, valueStride)) : default;

    /// <summary>Room for the keys of the next entries.</summary>
    public Span<byte> KeyRoom(int entries) => Room(ref _keys, keySize, _keepsKeys ? Count : 0, entries);

    /// <summary>Room for the values of the next entries.</summary>
    public Span<byte> ValueRoom(int entries) => Room(ref _values, valueStride, _keepsValues ? Count : 0, entries);

    /// <summary>Counts entries that were written at the start of the room.</summary>
    public void Append(int entries) => Count += entries;

    /// <summary>Forgets the entries and keeps the room.</summary>
    public void Clear() => Count = 0;

    public void Dispose()
    {
        Return(ref _keys);
        Return(ref _values);
    }

    private Span<byte> Room(ref byte[] array, uint size, int kept, int entries)
    {
        int used = Size(kept, size);
        int wanted = Size(entries, size);
        if (array.Length - used < wanted)
        {
            account.Take(BitOperations.RoundUpToPowerOf2((uint)(used + wanted))); // as the pool gives them
            byte[] larger = ArrayPool<byte>.Shared.Rent(used + wanted);
            array.AsSpan(0, used).CopyTo(larger);
            Return(ref array);
            array = larger;
        }

        return array.AsSpan(used, wanted);
    }

    private void Return(ref byte[] array)
    {
        if (array.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(array);
            account.Give(array.Length);
            array = [];
        }
    }

    private static int Size(int entries, uint size) => checked((int)(entries * size));
}
