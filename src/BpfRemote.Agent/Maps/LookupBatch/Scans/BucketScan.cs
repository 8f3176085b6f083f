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

    // While a bucket larger than the response is searched for: entries that did not hold it, and entries that held more than it.
    private int _tooFew;
    private int _enough;

    public BucketScan(MapInfo info)
    {
        _info = info;
        _bucketCount = BitOperations.RoundUpToPowerOf2(info.MaxEntries);
        _cursor = new MapCursor(info.KeySize);
        _cursor.MoveTo(0);
    }

    public override ScanStep Step(IBpfMap map, EntryBuffer buffer, Room room)
    {
        if (_tooFew > 0)
        {
            return ProbeOversizedBucket(map, buffer, room);
        }

        BatchResult page = Lookup(map, buffer, room.Step);
        if (page.Error == Errno.ENOSPC && room.Fit > room.Step)
        {
            Adjusted();
            page = Lookup(map, buffer, room.Fit);
        }

        if (page.Error != Errno.ENOSPC)
        {
            return Take(page, buffer);
        }

        if (room.Max <= room.Fit)
        {
            return ScanStep.NoRoom;
        }

        _tooFew = room.Fit;
        _enough = int.MaxValue;
        return ScanStep.Advanced;
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

    /// <summary>One try to read a bucket that alone exceeds the response, and no other bucket with it: the cursor cannot name a
    /// range, so the count that holds just this bucket is searched for, doubling and then halving.</summary>
    private ScanStep ProbeOversizedBucket(IBpfMap map, EntryBuffer buffer, Room room)
    {
        if (_tooFew >= room.Max)
        {
            _tooFew = 0;
            return ScanStep.NoRoom;
        }

        Adjusted();
        uint bucket = _cursor.Index;
        int guess = _enough == int.MaxValue ? _tooFew * 2 : _tooFew + ((_enough - _tooFew) / 2);
        int count = Math.Clamp(guess, _tooFew + 1, room.Max);
        BatchResult page = Lookup(map, buffer, count);
        if (page.Error == Errno.ENOSPC)
        {
            _tooFew = count;
            _enough = _enough > count ? _enough : int.MaxValue; // the bucket has grown meanwhile
            return ScanStep.Advanced;
        }

        if (page.Count > _tooFew + 1)
        {
            _enough = page.Count;
            _cursor.MoveTo(bucket);
            return ScanStep.Advanced;
        }

        _tooFew = 0;
        return Take(page, buffer);
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
