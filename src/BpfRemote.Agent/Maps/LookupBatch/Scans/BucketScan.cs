using System.Buffers.Binary;
using System.Numerics;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Maps.LookupBatch.Scans;

/// <summary>Hash types by batch: the cursor is a bucket, and the kernel gives whole buckets only.</summary>
/// <remarks>
/// A bucket that is given at once and never again is what makes the scan exactly-once: elements never move between buckets.
/// A short page is not the end, only ENOENT is, and its entries count.
/// </remarks>
internal sealed class BucketScan : MapScan
{
    private readonly MapInfo _info;
    private readonly MapCursor _cursor;
    private readonly uint _bucketCount;

    public BucketScan(MapInfo info)
    {
        _info = info;
        _bucketCount = BitOperations.RoundUpToPowerOf2(info.MaxEntries);
        _cursor = new MapCursor(info.KeySize);
        _cursor.MoveTo(0);
    }

    public override ScanStep Step(IBpfMap map, EntryBuffer buffer, Room room)
    {
        BatchResult page = Lookup(map, buffer, room.Step);
        if (page.Error == Errno.ENOSPC && room.Fit > room.Step)
        {
            Adjusted();
            page = Lookup(map, buffer, room.Fit);
        }

        return page.Error switch
        {
            not Errno.ENOSPC => Take(page, buffer),
            _ when room.Max > room.Fit => ReadOversizedBucket(map, buffer, room),
            _ => ScanStep.NoRoom,
        };
    }

    public override int WritePosition(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, _cursor.Index);
        return sizeof(uint);
    }

    protected override bool TryMoveTo(ReadOnlySpan<byte> position)
    {
        if (position.Length != sizeof(uint) || BinaryPrimitives.ReadUInt32LittleEndian(position) is var bucket && bucket >= _bucketCount)
        {
            return false;
        }

        _cursor.MoveTo(bucket);
        return true;
    }

    /// <summary>Reads a bucket that alone exceeds the response, and no other bucket with it: the cursor cannot name a range, so
    /// the count that holds just this bucket is searched for.</summary>
    private ScanStep ReadOversizedBucket(IBpfMap map, EntryBuffer buffer, Room room)
    {
        int tooFew = room.Fit;
        int enough = int.MaxValue;
        for (int growth = 1; tooFew < room.Max; growth = Math.Min(growth * 2, room.Max))
        {
            Adjusted();
            uint bucket = _cursor.Index;
            int count = enough == int.MaxValue ? tooFew + growth : tooFew + ((enough - tooFew) / 2);
            BatchResult page = Lookup(map, buffer, Math.Clamp(count, tooFew + 1, room.Max));
            if (page.Error == Errno.ENOSPC)
            {
                tooFew = Math.Clamp(count, tooFew + 1, room.Max);
            }
            else if (page.Count <= tooFew + 1)
            {
                return Take(page, buffer);
            }
            else
            {
                enough = page.Count;
                _cursor.MoveTo(bucket);
            }
        }

        return ScanStep.NoRoom;
    }

    private BatchResult Lookup(IBpfMap map, EntryBuffer buffer, int count)
    {
        Called();
        return map.LookupBatch(_cursor, buffer.KeyRoom(count), buffer.ValueRoom(count), count);
    }

    private ScanStep Take(BatchResult page, EntryBuffer buffer)
    {
        buffer.Append(page.Count);
        if (page.Error == Errno.ENOENT)
        {
            return ScanStep.Completed;
        }

        if (page.Error != Errno.None || page.Count == 0)
        {
            Stalled("bpf_map_lookup_batch", page.Error, _info);
        }

        if (page.Count > 0)
        {
            Progressed();
        }

        return ScanStep.Advanced;
    }
}
