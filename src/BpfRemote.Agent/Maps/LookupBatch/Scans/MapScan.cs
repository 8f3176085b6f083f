using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.LookupBatch.Scans;

/// <summary>One way to walk a map, and where the walk stands. Finished and failed are different paths: failing throws.</summary>
internal abstract class MapScan
{
    /// <summary>Native calls in a row that may fail for a cause that passes.</summary>
    private const int MaxStalledCalls = 100;

    /// <summary>Times what the largest map could hold that a scan may give where keys can be added ahead of it.</summary>
    private const ulong MaxGrowth = 16;

    private const uint SmallMap = 4_096;

    private int _stalledCalls;
    private ulong _calls;
    private ulong _retries;

    /// <summary>Walks that began anew because the key they stood on was deleted, over the whole scan.</summary>
    public uint Restarts { get; private set; }

    /// <summary>The most entries a whole scan may give before the map counts as unstable.</summary>
    public virtual ulong MaxEntries => ulong.MaxValue;

    /// <summary>Native calls since this was asked for last, and those of them that were made again.</summary>
    public (ulong Calls, ulong Retries) TakeCalls()
    {
        (ulong, ulong) taken = (_calls, _retries);
        (_calls, _retries) = (0, 0);
        return taken;
    }

    /// <summary>Whether the scan has come to where it was told to stop, which is no end of the map.</summary>
    public virtual bool HasReachedStop => false;

    /// <summary>The scan of a map from its start.</summary>
    public static MapScan Start(IBpfMap map) => map.Layout.Method switch
    {
        ScanMethod.Buckets => new BucketScan(map.Info),
        ScanMethod.BatchByIndex => new IndexBatchScan(map.Info),
        ScanMethod.Trie => new TrieScan(map.Info),
        ScanMethod.ElementByIndex => new IndexScan(map.Info, map.Layout),
        ScanMethod.KeyWalk => new KeyWalkScan(map.Info, map.Layout),
        ScanMethod.Peek => new PeekScan(),
        _ => throw new InvalidOperationException($"a map with scan method {map.Layout.Method} cannot be scanned"),
    };

    /// <summary>The scan of a map from where <see cref="WritePosition"/> left it.</summary>
    /// <returns>Null where the position is not one that a scan of this map can have.</returns>
    public static MapScan? Resume(IBpfMap map, ReadOnlySpan<byte> position, uint restarts)
    {
        MapScan scan = Start(map);
        scan.Restarts = restarts;
        return scan.TryMoveTo(position) ? scan : null;
    }

    /// <summary>Reads the next entries into the buffer.</summary>
    /// <exception cref="BpfException">The kernel failed in a way that retries did not cure.</exception>
    /// <exception cref="RpcException">ABORTED / SCAN_UNSTABLE.</exception>
    public abstract ScanStep Step(IBpfMap map, EntryBuffer buffer, Room room);

    /// <summary>Writes where the scan stands.</summary>
    /// <returns>The bytes written.</returns>
    public abstract int WritePosition(Span<byte> to);

    /// <summary>ABORTED: the map changes faster than it can be walked.</summary>
    public RpcException Unstable(string message) =>
        ServiceError.Create(StatusCode.Aborted, ErrorReason.ScanUnstable, message, ("restarts", $"{Restarts}"));

    /// <summary>The most entries of a scan whose walk ends only where the map does: honest growth stays below it.</summary>
    protected static ulong GrowthBound(MapInfo map) => MaxGrowth * Math.Max(map.MaxEntries, SmallMap);

    /// <summary>Moves to a position; false where it is out of the map's range.</summary>
    protected abstract bool TryMoveTo(ReadOnlySpan<byte> position);

    /// <summary>Counts a native call.</summary>
    protected void Called() => _calls++;

    /// <summary>The last native call moved the scan on.</summary>
    protected void Progressed() => _stalledCalls = 0;

    /// <summary>The last native call has to be made again, with what it asked for changed.</summary>
    protected void Adjusted() => _retries++;

    /// <summary>The last native call has to be made again because of an error that passes.</summary>
    /// <exception cref="BpfException">It does not pass: the kernel keeps giving it, or it is of another kind.</exception>
    protected void Stalled(string operation, Errno errno, MapInfo map)
    {
        if (errno is not (Errno.None or Errno.EAGAIN or Errno.EBUSY or Errno.EDEADLK or Errno.EFAULT or Errno.EINTR
                or Errno.ENOMEM or Errno.ETIMEDOUT)
            || ++_stalledCalls > MaxStalledCalls)
        {
            throw new BpfException(operation, errno, $"map {map.Id}");
        }

        _retries++;
    }

    /// <summary>A key was deleted between the walk that found it and the lookup; the walk stays on the key before.</summary>
    /// <exception cref="RpcException">ABORTED / SCAN_UNSTABLE: too often in a row.</exception>
    protected void Vanished()
    {
        if (++_stalledCalls > MaxStalledCalls)
        {
            throw Unstable("keys are deleted before they can be looked up");
        }

        _retries++;
    }

    /// <summary>The walk began anew.</summary>
    /// <exception cref="RpcException">ABORTED / SCAN_UNSTABLE: once too often.</exception>
    protected void Restarted()
    {
        if (++Restarts > AgentLimits.MaxScanRestarts)
        {
            throw Unstable("deletions restarted the walk too often");
        }
    }
}
