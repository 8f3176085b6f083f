using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps.LookupBatch.Scans;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>Cuts a scan into responses: fills one buffer after the other by small native calls, at the pace asked for.</summary>
internal sealed class ScanReader
{
    /// <summary>Entries of one native call at the gentle pace at most: the longest call is 0.15 ms.</summary>
    private const int GentleBatch = 256;

    /// <summary>Entries of one native call at full pace: the longest call is about 0.7 ms, and a response takes one or two.</summary>
    private const int FullBatch = 2_048;

    /// <summary>Entries that a gentle scan asks for at least and at first: sparse maps are noticed by the time that few take.</summary>
    private const int FirstGentleBatch = 16;

    /// <summary>How long a native call of a gentle scan is to be. Where buckets are empty, which a call passes until it has its
    /// entries, fewer of them make it shorter.</summary>
    private static readonly TimeSpan GentleCall = TimeSpan.FromMilliseconds(0.1);

    private readonly MapScan _scan;
    private readonly CallPace _pace;
    private readonly IMapSource _source;
    private readonly TimeProvider _time;
    private readonly ulong _limit;
    private readonly int _target;
    private readonly int _mostPerStep;
    private readonly int _byteBound;
    private readonly MapInfo _info;
    private int _step;
    private ulong _entries;
    private ReadCost _cost;

    /// <param name="map">The map.</param>
    /// <param name="scan">The scan.</param>
    /// <param name="query">What the call asked for.</param>
    /// <param name="pace">The pace to keep.</param>
    /// <param name="source">Whose clock measures native calls.</param>
    /// <param name="time">The clock of waits.</param>
    public ScanReader(IBpfMap map, MapScan scan, LookupBatchQuery query, CallPace pace, IMapSource source, TimeProvider time)
    {
        MapLayout layout = map.Layout;
        _info = map.Info;
        _scan = scan;
        _pace = pace;
        _source = source;
        _time = time;
        _limit = query.Limit;
        int entrySize = (int)layout.EntrySize;
        int sentSize = query.Include switch
        {
            Include.CountOnly => 0,
            Include.Keys => (int)layout.KeySize,
            _ => entrySize,
        };
        _byteBound = AgentLimits.MaxResponseBytes / Math.Max(entrySize, 1);
        _mostPerStep = Math.Clamp(AgentLimits.TargetResponseBytes / Math.Max(entrySize, 1), 1, pace.IsGentle ? GentleBatch : FullBatch);
        _step = pace.IsGentle ? Math.Min(FirstGentleBatch, _mostPerStep) : _mostPerStep;
        _target = Math.Clamp(AgentLimits.TargetResponseBytes / Math.Max(sentSize, 1), 1, query.BatchSize);
    }

    /// <summary>What was spent since this was asked for last.</summary>
    public ReadCost TakeCost()
    {
        (ulong calls, ulong retries) = _scan.TakeCalls();
        ReadCost cost = _cost with { NativeCalls = calls, Retries = retries };
        _cost = default;
        return cost;
    }

    /// <summary>Fills a buffer with the entries of the next response.</summary>
    /// <param name="lease">The map.</param>
    /// <param name="buffer">The buffer, empty.</param>
    /// <param name="cancellationToken">Ends the reading between two native calls.</param>
    /// <exception cref="RpcException">FAILED_PRECONDITION / ENTRY_TOO_LARGE; ABORTED / SCAN_UNSTABLE.</exception>
    public async ValueTask<ScanEnd> FillAsync(MapLease lease, EntryBuffer buffer, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        while (RoomIn(buffer) is { Fit: > 0 } room)
        {
            cancellationToken.ThrowIfCancellationRequested();
            TimeSpan patience = AgentLimits.ProgressInterval - _time.GetElapsedTime(start);
            ValueTask<TimeSpan> wait = _pace.WaitAsync(patience, cancellationToken);
            if (!wait.IsCompleted)
            {
                lease.Release();
            }

            TimeSpan waited = await wait;
            _cost = _cost with { PaceWaitTime = _cost.PaceWaitTime + waited };
            if (_time.GetElapsedTime(start) >= AgentLimits.ProgressInterval)
            {
                return ScanEnd.NotYet;
            }

            switch (Step(lease.Map, buffer, room))
            {
                case ScanStep.Completed:
                    return ScanEnd.Completed;
                case ScanStep.NoRoom when buffer.Count > 0:
                    return ScanEnd.NotYet;
                case ScanStep.NoRoom when room.Max < _byteBound:
                    return ScanEnd.LimitReached;
                case ScanStep.NoRoom:
                    throw BucketTooLarge(lease.Map.Layout);
                default:
                    break;
            }

            if (_scan.HasReachedStop || _time.GetElapsedTime(start) >= AgentLimits.ProgressInterval)
            {
                return ScanEnd.NotYet;
            }
        }

        return _entries >= _limit ? ScanEnd.LimitReached : ScanEnd.NotYet;
    }

    private ScanStep Step(IBpfMap map, EntryBuffer buffer, Room room)
    {
        int before = buffer.Count;
        TimeSpan start = _source.ReadThreadTime();
        ScanStep step = _scan.Step(map, buffer, room);
        TimeSpan elapsed = _source.ReadThreadTime() - start;
        ulong read = (ulong)(buffer.Count - before);
        _entries += read;
        _cost = new ReadCost(read, 0, 0, elapsed, TimeSpan.Zero, elapsed) + _cost;
        _pace.Spend(elapsed);
        if (_pace.IsGentle)
        {
            _step = Adapt(elapsed);
        }

        return step;
    }

    /// <summary>The entries to ask for next, after a call that took so long: at most twice as many.</summary>
    private int Adapt(TimeSpan elapsed)
    {
        double factor = elapsed > TimeSpan.Zero ? Math.Min(GentleCall / elapsed, 2) : 2;
        return Math.Clamp((int)(_step * factor), Math.Min(FirstGentleBatch, _mostPerStep), _mostPerStep);
    }

    /// <summary>The room that is left. A first bucket larger than <c>Fit</c> is let through where nothing would come before it.</summary>
    private Room RoomIn(EntryBuffer buffer)
    {
        int limitLeft = (int)Math.Min(_limit - Math.Min(_entries, _limit), int.MaxValue);
        int fit = Math.Min(Math.Min(_target - buffer.Count, limitLeft), _byteBound);
        int max = buffer.Count > 0 ? fit
            : _entries > 0 ? Math.Min(limitLeft, _byteBound)
            : _byteBound;
        return new Room(Math.Min(_step, fit), fit, max);
    }

    private RpcException BucketTooLarge(MapLayout layout) => ServiceError.Create(
        StatusCode.FailedPrecondition,
        ErrorReason.EntryTooLarge,
        "a hash bucket, which must not be split, exceeds a response",
        ("map_id", $"{_info.Id}"),
        ("entry_size", $"{layout.EntrySize}"),
        ("max_response_bytes", $"{AgentLimits.MaxResponseBytes}"));
}

/// <summary>What ends after a response.</summary>
internal enum ScanEnd
{
    /// <summary>Nothing: more responses follow.</summary>
    NotYet,

    /// <summary>The call: its limit is reached.</summary>
    LimitReached,

    /// <summary>The scan.</summary>
    Completed,
}
