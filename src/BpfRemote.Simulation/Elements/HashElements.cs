using System.Numerics;
using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Elements;

/// <summary>Hash types: chains in a power of two of buckets, new entries at the head.</summary>
/// <remarks>Source: kernel/bpf/hashtab.c; for sockhash net/core/sock_map.c, for devmap_hash kernel/bpf/devmap.c.</remarks>
internal sealed class HashElements : MapElements
{
    private readonly Entry?[] _buckets;
    private readonly LinkedList<Entry>? _recency;
    private readonly uint _maxEntries;
    private readonly uint _seed;
    private readonly bool _hashes;
    private readonly bool _updatesInPlace;
    private uint _count;

    public HashElements(MapInfo info, ValueShape shape, int nodeSeed)
        : base(info, shape)
    {
        _buckets = new Entry?[BitOperations.RoundUpToPowerOf2(info.MaxEntries)];
        _recency = info.Type is BpfMapType.LruHash or BpfMapType.LruPerCpuHash ? [] : null;
        _maxEntries = info.MaxEntries;
        _seed = (info.Flags & SimulatedMapSpec.ZeroSeed) == 0 ? (uint)new Random(nodeSeed ^ (int)info.Id).NextInt64() : 0;
        _hashes = info.Type != BpfMapType.DevMapHash;
        _updatesInPlace = ValueShape.IsPerCpu(info.Type);
    }

    public override Errno Lookup(ReadOnlySpan<byte> key, Span<byte> value)
    {
        if (Find(key) is not { } entry)
        {
            return Errno.ENOENT;
        }

        entry.Value.CopyTo(value);
        return Errno.None;
    }

    /// <summary>A key that is not there restarts at the first.</summary>
    public override Errno NextKey(ReadOnlySpan<byte> key, Span<byte> nextKey)
    {
        uint bucket = 0;
        Entry? next = null;
        if (!key.IsEmpty && Find(key) is { } entry)
        {
            next = entry.Next;
            bucket = BucketOf(key) + 1;
        }

        for (; next is null && bucket < _buckets.Length; bucket++)
        {
            next = _buckets[bucket];
        }

        if (next is null)
        {
            return Errno.ENOENT;
        }

        next.Key.CopyTo(nextKey);
        return Errno.None;
    }

    public override Errno Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Entry? old = Find(key);
        if (old is not null && _updatesInPlace)
        {
            Shape.Store(value, old.Value);
            if (old.Age is { } age)
            {
                _recency!.Remove(age);
                _recency.AddLast(age);
            }

            return Errno.None;
        }

        Entry added = new(key.ToArray(), Shape.Copy(value));
        if (old is not null)
        {
            Unlink(old);
        }
        else if (_count == _maxEntries)
        {
            if (_recency?.First is not { } oldest)
            {
                return Errno.E2BIG;
            }

            Unlink(oldest.Value);
        }

        ref Entry? head = ref _buckets[BucketOf(key)];
        added.Next = head;
        head = added;
        added.Age = _recency?.AddLast(added);
        _count++;
        return Errno.None;
    }

    public override Errno Delete(ReadOnlySpan<byte> key)
    {
        if (Find(key) is not { } entry)
        {
            return Errno.ENOENT;
        }

        Unlink(entry);
        return Errno.None;
    }

    /// <summary>Whole buckets only; the cursor is the first bucket that was not copied.</summary>
    /// <remarks>Source: <c>__htab_map_lookup_and_delete_batch</c>.</remarks>
    public override BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count)
    {
        uint bucket = cursor.HasPosition ? cursor.Index : 0;
        if (bucket >= _buckets.Length)
        {
            return new BatchResult(0, Errno.ENOENT);
        }

        int total = 0;
        for (; bucket < _buckets.Length; bucket++)
        {
            if (LengthOf(bucket) > count - total)
            {
                cursor.MoveTo(bucket);
                return new BatchResult(total, total == 0 ? Errno.ENOSPC : Errno.None);
            }

            for (Entry? entry = _buckets[bucket]; entry is not null; entry = entry.Next, total++)
            {
                entry.Key.CopyTo(keys[(total * KeySize)..]);
                entry.Value.CopyTo(values[(total * Shape.Size)..]);
            }
        }

        cursor.MoveTo(bucket);
        return new BatchResult(total, Errno.ENOENT);
    }

    private uint BucketOf(ReadOnlySpan<byte> key)
    {
        uint hash = _hashes ? JenkinsHash.Of(key, _seed) : MemoryMarshal.Read<uint>(key);
        return hash & (uint)(_buckets.Length - 1);
    }

    private Entry? Find(ReadOnlySpan<byte> key)
    {
        Entry? entry = _buckets[BucketOf(key)];
        while (entry is not null && !key.SequenceEqual(entry.Key))
        {
            entry = entry.Next;
        }

        return entry;
    }

    private int LengthOf(uint bucket)
    {
        int length = 0;
        for (Entry? entry = _buckets[bucket]; entry is not null; entry = entry.Next)
        {
            length++;
        }

        return length;
    }

    private void Unlink(Entry entry)
    {
        ref Entry? link = ref _buckets[BucketOf(entry.Key)];
        while (link != entry)
        {
            link = ref link!.Next;
        }

        link = entry.Next;
        if (entry.Age is { } age)
        {
            _recency!.Remove(age);
        }

        _count--;
    }

    private sealed class Entry(byte[] key, byte[] value)
    {
        public readonly byte[] Key = key;
        public readonly byte[] Value = value;
        public Entry? Next;

        /// <summary>Where it stands between the least and the most recently used; null where nothing is evicted.</summary>
        public LinkedListNode<Entry>? Age;
    }
}
