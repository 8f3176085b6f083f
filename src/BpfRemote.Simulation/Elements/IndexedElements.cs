using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Elements;

/// <summary>Types whose key is an index: arrays, all of whose entries are always there, and those with holes.</summary>
/// <remarks>Source: kernel/bpf/arraymap.c, and devmap.c, cpumap.c, net/core/sock_map.c, which walk alike.</remarks>
internal class IndexedElements : MapElements
{
    private readonly bool _filled;

    public IndexedElements(MapInfo info, ValueShape shape, bool filled)
        : this(info, shape, info.MaxEntries)
    {
        _filled = filled;
        for (int index = 0; filled && index < Values.Length; index++)
        {
            Values[index] = shape.Zero();
        }
    }

    protected IndexedElements(MapInfo info, ValueShape shape, uint length)
        : base(info, shape) => Values = new byte[]?[length];

    /// <summary>Values by index; null is a hole.</summary>
    protected byte[]?[] Values { get; }

    public override Errno Lookup(ReadOnlySpan<byte> key, Span<byte> value)
    {
        uint index = IndexOf(key);
        if (index >= Values.Length || Values[index] is not { } found)
        {
            return Errno.ENOENT;
        }

        found.CopyTo(value);
        return Errno.None;
    }

    /// <summary>The index that follows, hole or not. An index beyond the end restarts at 0, and nothing says so.</summary>
    public override Errno NextKey(ReadOnlySpan<byte> key, Span<byte> nextKey)
    {
        uint next = key.IsEmpty || IndexOf(key) >= Values.Length ? 0 : IndexOf(key) + 1;
        if (next == Values.Length)
        {
            return Errno.ENOENT;
        }

        MemoryMarshal.Write(nextKey, next);
        return Errno.None;
    }

    public override Errno Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        uint index = IndexOf(key);
        if (index >= Values.Length)
        {
            return Errno.E2BIG;
        }

        if (Values[index] is { } present)
        {
            Shape.Store(value, present);
        }
        else
        {
            Values[index] = Shape.Copy(value);
        }

        return Errno.None;
    }

    public override Errno Delete(ReadOnlySpan<byte> key)
    {
        uint index = IndexOf(key);
        if (_filled)
        {
            return Errno.EINVAL;
        }

        if (index >= Values.Length)
        {
            return Errno.E2BIG;
        }

        Errno error = Values[index] is null ? Errno.ENOENT : Errno.None;
        Values[index] = null;
        return error;
    }

    protected static uint IndexOf(ReadOnlySpan<byte> key) => MemoryMarshal.Read<uint>(key);
}
