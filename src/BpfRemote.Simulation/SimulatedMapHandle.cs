using BpfRemote.Libbpf;

namespace BpfRemote.Simulation;

/// <summary>A read-only file descriptor of a simulated map: it keeps the map readable after its removal.</summary>
/// <remarks>As strict as a descriptor of a real map: buffers that the kernel could overrun are refused.</remarks>
internal sealed class SimulatedMapHandle(SimulatedMap map) : IBpfMap
{
    private readonly uint _valueLength = map.Layout.ValueStride == 0 ? map.Info.ValueSize : map.Layout.ValueStride;
    private bool _disposed;

    public MapInfo Info { get; } = map.Info;

    public MapLayout Layout => map.Layout;

    public BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count)
    {
        RequireReadable();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        RequireRoom(keys, (long)count * Info.KeySize, nameof(keys));
        RequireRoom(values, (long)count * _valueLength, nameof(values));
        RequireRoom(cursor.OutBatch, Math.Max(sizeof(uint), Info.KeySize), nameof(cursor));
        return map.LookupBatch(cursor, keys, values, count);
    }

    public Errno LookupElement(ReadOnlySpan<byte> key, Span<byte> value)
    {
        RequireReadable();
        map.RequireKey(key);
        RequireRoom(value, _valueLength, nameof(value));
        return map.LookupElement(key, value);
    }

    public Errno GetNextKey(ReadOnlySpan<byte> key, Span<byte> nextKey)
    {
        RequireReadable();
        if (!key.IsEmpty)
        {
            map.RequireKey(key);
        }

        RequireRoom(nextKey, Info.KeySize, nameof(nextKey));
        return map.GetNextKey(key, nextKey);
    }

    public void Dispose() => _disposed = true;

    private void RequireReadable()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Layout.Method is ScanMethod.None)
        {
            throw new InvalidOperationException($"map {Info.Id} is not readable: {Layout.Reason}");
        }
    }

    private void RequireRoom(ReadOnlySpan<byte> buffer, long length, string name)
    {
        if (buffer.Length < length)
        {
            throw new ArgumentException($"{buffer.Length} bytes, and the kernel may write {length} for map {Info.Id}", name);
        }
    }
}
