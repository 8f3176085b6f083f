using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Maps.LookupBatch.Scans;

/// <summary>lpm_trie by batch: the cursor is the last key, and the kernel begins anew at the leftmost leaf when it was deleted.</summary>
/// <remarks>
/// The kernel's order is intrinsic, so the furthest key given so far, the high-water mark, says exactly what has been given:
/// whatever is not beyond it is dropped, also inside a page. That makes the scan exactly-once. Restarts are counted over the whole
/// scan and bounded.
/// </remarks>
internal sealed class TrieScan(MapInfo info) : MapScan
{
    private readonly MapCursor _cursor = new(info.KeySize);
    private readonly byte[] _last = new byte[info.KeySize];
    private readonly byte[] _highWater = new byte[info.KeySize];
    private bool _started;

    public override ulong MaxEntries => GrowthBound(info);

    public override ScanStep Step(IBpfMap map, EntryBuffer buffer, Room room)
    {
        if (_started)
        {
            _cursor.MoveTo(_last);
        }

        Called();
        Span<byte> keys = buffer.KeyRoom(room.Step);
        Span<byte> values = buffer.ValueRoom(room.Step);
        BatchResult page = map.LookupBatch(_cursor, keys, values, room.Step);
        buffer.Append(KeepNew(keys, values, page.Count, (int)map.Layout.ValueStride));
        if (page.Error == Errno.ENOENT)
        {
            return ScanStep.Completed;
        }

        if (page.Error != Errno.None || page.Count == 0)
        {
            Stalled("bpf_map_lookup_batch", page.Error, info);
        }

        if (page.Count > 0)
        {
            Progressed();
        }

        return ScanStep.Advanced;
    }

    public override int WritePosition(Span<byte> to)
    {
        if (!_started)
        {
            return 0;
        }

        int length = TrieKey.Write(_highWater, to);

        // Behind the mark after a restart: the cursor too, for without it the walk would restart once more.
        return TrieKey.Compare(_last, _highWater) < 0 ? length + TrieKey.Write(_last, to[length..]) : length;
    }

    protected override bool TryMoveTo(ReadOnlySpan<byte> position)
    {
        if (position.IsEmpty)
        {
            return true;
        }

        int length = TrieKey.Read(position, _highWater);
        if (length == 0)
        {
            return false;
        }

        _started = true;
        ReadOnlySpan<byte> cursor = position[length..];
        if (cursor.IsEmpty)
        {
            _highWater.CopyTo(_last, 0);
            return true;
        }

        return TrieKey.Read(cursor, _last) == cursor.Length;
    }

    /// <summary>Moves the entries beyond the high-water mark to the front, in order, and raises the mark.</summary>
    /// <returns>How many they are.</returns>
    private int KeepNew(Span<byte> keys, Span<byte> values, int count, int stride)
    {
        int keySize = _last.Length;
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> key = keys.Slice(i * keySize, keySize);
            if (_started && TrieKey.Compare(key, _last) <= 0)
            {
                Restarted();
            }

            bool isNew = !_started || TrieKey.Compare(key, _highWater) > 0;
            key.CopyTo(_last);
            _started = true;
            if (!isNew)
            {
                continue;
            }

            key.CopyTo(_highWater);
            if (kept != i)
            {
                key.CopyTo(keys[(kept * keySize)..]);
                values.Slice(i * stride, stride).CopyTo(values[(kept * stride)..]);
            }

            kept++;
        }

        return kept;
    }
}
