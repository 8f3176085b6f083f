using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Elements;

/// <summary>cgroup_storage: a list, the newest first. Unlike elsewhere, a walk from a key that is not there ends.</summary>
/// <remarks>Source: kernel/bpf/local_storage.c.</remarks>
internal sealed class CgroupStorageElements(MapInfo info, ValueShape shape) : MapElements(info, shape)
{
    private readonly List<(byte[] Key, byte[] Value)> _entries = [];

    public override Errno Lookup(ReadOnlySpan<byte> key, Span<byte> value)
    {
        int position = Find(key);
        if (position < 0)
        {
            return Errno.ENOENT;
        }

        _entries[position].Value.CopyTo(value);
        return Errno.None;
    }

    public override Errno NextKey(ReadOnlySpan<byte> key, Span<byte> nextKey)
    {
        int position = key.IsEmpty ? -1 : Find(key);
        if ((!key.IsEmpty && position < 0) || position + 1 == _entries.Count)
        {
            return Errno.ENOENT;
        }

        _entries[position + 1].Key.CopyTo(nextKey);
        return Errno.None;
    }

    public override Errno Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int position = Find(key);
        if (position < 0)
        {
            _entries.Insert(0, (key.ToArray(), Shape.Copy(value)));
        }
        else
        {
            Shape.Store(value, _entries[position].Value);
        }

        return Errno.None;
    }

    public override Errno Delete(ReadOnlySpan<byte> key)
    {
        int position = Find(key);
        if (position < 0)
        {
            return Errno.ENOENT;
        }

        _entries.RemoveAt(position);
        return Errno.None;
    }

    private int Find(ReadOnlySpan<byte> key)
    {
        for (int position = 0; position < _entries.Count; position++)
        {
            if (key.SequenceEqual(_entries[position].Key))
            {
                return position;
            }
        }

        return -1;
    }
}
