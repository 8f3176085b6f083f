using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Elements;

/// <summary>queue and stack: values without keys, of which only the next can be seen.</summary>
/// <remarks>Source: kernel/bpf/queue_stack_maps.c.</remarks>
internal sealed class QueueElements(MapInfo info, ValueShape shape) : MapElements(info, shape)
{
    private readonly LinkedList<byte[]> _values = [];

    private LinkedListNode<byte[]>? Next => Info.Type == BpfMapType.Queue ? _values.First : _values.Last;

    public override Errno Lookup(ReadOnlySpan<byte> key, Span<byte> value)
    {
        if (Next is not { } next)
        {
            return Errno.ENOENT;
        }

        next.Value.CopyTo(value);
        return Errno.None;
    }

    public override Errno NextKey(ReadOnlySpan<byte> key, Span<byte> nextKey) => Errno.EINVAL;

    public override Errno Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (_values.Count == Info.MaxEntries)
        {
            return Errno.E2BIG;
        }

        _values.AddLast(Shape.Copy(value));
        return Errno.None;
    }

    public override Errno Delete(ReadOnlySpan<byte> key)
    {
        if (Next is not { } next)
        {
            return Errno.ENOENT;
        }

        _values.Remove(next);
        return Errno.None;
    }
}
