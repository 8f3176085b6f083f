using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Maps.LookupBatch.Scans;

/// <summary>Hash types by batch: the cursor is a bucket, and the kernel gives whole buckets only.</summary>
/// <remarks>
/// A bucket that is given at once and never again is what makes the scan exactly-once: elements never move between buckets.
/// A short page is not the end, only ENOENT is, and its entries count.
/// Ranges of buckets are independent of each other: where one scan ends at the very bucket that another began at, both together are
/// one scan.
/// </remarks>
internal sealed class BucketScan : MapScan
{
    /// <summary>Entries below which it is not worth it to guess how many come before the stop.</summary>
    private const int Few = 8;

    /// <summary>A bucket above this size is read with what follows it.</summary>
    private const int MostInBucket = 16;

    private readonly MapInfo _info;
    private readonly MapCursor _cursor;
    private readonly uint _bucketCount;
    private uint _stop;
    private double _density;

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

    /// <summary>The next bucket to read. Another thread may read it while the scan goes on.</summary>
    public uint Bucket => _cursor.Index;

    /// <summary>Buckets from the next one on to the end of the map.</summary>
    public uint BucketsLeft => _bucketCount - Math.Min(Bucket, _bucketCount);

    /// <summary>Whether the scan has come to its stop, or has run past it.</summary>
    public override bool HasReachedStop => Volatile.Read(ref _stop) is > 0 and var stop && Bucket >= stop;

    /// <summary>Ends the scan at a bucket. Another thread may say so while the scan goes on.</summary>
    /// <param name="bucket">A bucket that had entries when it was looked at: the kernel names only such ones. The scan runs past it
    /// where they are gone by then. 0 for the end of the map.</param>
    /// <param name="density">Entries of a bucket, on average.</param>
    public void StopAt(uint bucket, double density)
    {
        _density = density;
        Volatile.Write(ref _stop, bucket);
    }

    /// <summary>A scan of the same map that begins at a bucket with entries, little beyond a given one.</summary>
    /// <param name="map">The map.</param>
    /// <param name="bucket">The bucket.</param>
    /// <returns>Null where there is no such bucket.</returns>
    public BucketScan? TryBeginNear(IBpfMap map, uint bucket)
    {
        BucketScan scan = new(_info);
        scan._cursor.MoveTo(bucket);
        scan.Called();
        int keyBytes = Few * (int)_info.KeySize;
        byte[] scratch = ArrayPool<byte>.Shared.Rent(Few * (int)map.Layout.EntrySize);
        BatchResult passed = map.LookupBatch(scan._cursor, scratch.AsSpan(0, keyBytes), scratch.AsSpan(keyBytes), Few);
        ArrayPool<byte>.Shared.Return(scratch);
        return passed.Error is Errno.None or Errno.ENOSPC ? scan : null;
    }

    public override ScanStep Step(IBpfMap map, EntryBuffer buffer, Room room)
    {
        if (_tooFew > 0)
        {
            return ProbeOversizedBucket(map, buffer, room);
        }

        BatchResult page = Volatile.Read(ref _stop) is > 0 and var stop && Bucket < stop
            ? LookupBefore(stop, map, buffer, room)
            : Lookup(map, buffer, room.Step);
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

    /// <summary>Reads towards the stop: with care not to pass it, and bucket by bucket at last, so that the scan meets it.</summary>
    private BatchResult LookupBefore(uint stop, IBpfMap map, EntryBuffer buffer, Room room)
    {
        uint bucket = Bucket;
        double expected = (stop - bucket) * _density;
        for (int count = Math.Min(room.Step, (int)(expected - (2 * Math.Sqrt(expected)))); count >= Few; count /= 2)
        {
            BatchResult page = Lookup(map, buffer, count);
            if (Bucket <= stop)
            {
                return page;
            }

            Adjusted();
            _cursor.MoveTo(bucket);
        }

        for (int count = 1; ; count++)
        {
            BatchResult page = Lookup(map, buffer, count);
            if (page.Error != Errno.ENOSPC || count >= Math.Min(room.Fit, MostInBucket))
            {
                return page;
            }

            Adjusted();
        }
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
