using BpfRemote.Libbpf;

namespace BpfRemote.Simulation;

/// <summary>A read-only file descriptor of a simulated map: it keeps the map readable after its removal.</summary>
internal sealed class SimulatedMapHandle(SimulatedMap map) : IBpfMap
{
    private bool _disposed;

    public MapInfo Info { get; } = map.Info;

    public MapLayout Layout => map.Layout;

    public BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return map.LookupBatch(cursor, keys, values, count);
    }

    public Errno LookupElement(ReadOnlySpan<byte> key, Span<byte> value)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return map.LookupElement(key, value);
    }

    public Errno GetNextKey(ReadOnlySpan<byte> key, Span<byte> nextKey)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return map.GetNextKey(key, nextKey);
    }

    public void Dispose() => _disposed = true;
}
