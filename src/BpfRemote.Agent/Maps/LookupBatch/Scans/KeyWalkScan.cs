using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Maps.LookupBatch.Scans;

/// <summary>Keyed types without the batch call: get_next_key and a lookup.</summary>
/// <remarks>
/// A key that was deleted under the walk sends it back to the first one; such restarts are counted over the whole scan and bounded.
/// Entries may come again after one, which is why the scan is best effort.
/// </remarks>
internal sealed class KeyWalkScan(MapInfo info, MapLayout layout) : MapScan
{
    private readonly byte[] _key = new byte[info.KeySize];
    private readonly byte[] _first = new byte[info.KeySize];
    private bool _onKey;

    public override ulong MaxEntries => GrowthBound(info);

    public override ScanStep Step(IBpfMap map, EntryBuffer buffer, Room room)
    {
        for (int i = 0; i < room.Step; i++)
        {
            Span<byte> next = buffer.KeyRoom(1);
            Errno error = Next(map, _onKey ? _key : [], next);
            if (error == Errno.ENOENT && StandsOnAKey(map, buffer))
            {
                return ScanStep.Completed;
            }

            if (error == Errno.ENOENT)
            {
                _onKey = false;
                Restarted();
                return ScanStep.Advanced;
            }

            if (error != Errno.None)
            {
                Stalled("bpf_map_get_next_key", error, info);
                return ScanStep.Advanced;
            }

            CountRestart(map, next);
            error = layout.ValueStride == 0 ? Errno.None : Lookup(map, next, buffer.ValueRoom(1));
            if (error == Errno.ENOENT && IsPastTheEnd(map, next, buffer))
            {
                return ScanStep.Completed;
            }

            if (error == Errno.ENOENT)
            {
                Vanished();
                return ScanStep.Advanced;
            }

            if (error != Errno.None)
            {
                Stalled("bpf_map_lookup_elem", error, info);
                return ScanStep.Advanced;
            }

            next.CopyTo(_key);
            _onKey = true;
            buffer.Append(1);
            Progressed();
        }

        return ScanStep.Advanced;
    }

    public override int WritePosition(Span<byte> to)
    {
        ReadOnlySpan<byte> position = _onKey ? _key : [];
        position.CopyTo(to);
        return position.Length;
    }

    protected override bool TryMoveTo(ReadOnlySpan<byte> position)
    {
        if (position.IsEmpty)
        {
            return true;
        }

        _onKey = position.Length == _key.Length && position.TryCopyTo(_key);
        return _onKey;
    }

    /// <summary>Whether the end that the kernel reports is one: cgroup storage reports it also after a key that was deleted.</summary>
    private bool StandsOnAKey(IBpfMap map, EntryBuffer buffer) =>
        !_onKey || layout.ValueStride == 0 || Lookup(map, _key, buffer.ValueRoom(1)) == Errno.None;

    /// <summary>Whether a key that is named and cannot be found is the end: get_next_key of cgroup storage runs past the end of its
    /// list on kernels without the fix of 2026, and names whatever lies there, each time the same.</summary>
    private bool IsPastTheEnd(IBpfMap map, ReadOnlySpan<byte> next, EntryBuffer buffer) =>
        info.Type is BpfMapType.CgroupStorage or BpfMapType.PerCpuCgroupStorage
        && _onKey
        && StandsOnAKey(map, buffer)
        && Next(map, _key, _first) == Errno.None
        && next.SequenceEqual(_first);

    /// <summary>A key after another one that is the first of the map: the walk was sent back.</summary>
    private void CountRestart(IBpfMap map, ReadOnlySpan<byte> next)
    {
        if (_onKey && Next(map, [], _first) == Errno.None && next.SequenceEqual(_first))
        {
            Restarted();
        }
    }

    private Errno Next(IBpfMap map, ReadOnlySpan<byte> key, Span<byte> next)
    {
        Called();
        return map.GetNextKey(key, next);
    }

    private Errno Lookup(IBpfMap map, ReadOnlySpan<byte> key, Span<byte> value)
    {
        Called();
        return map.LookupElement(key, value);
    }
}
