using System.Runtime.CompilerServices;
using System.Threading.Channels;
using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps.LookupBatch.Scans;

namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>Reads a scan ahead of its writer; responses come out in the order of the scan.</summary>
/// <remarks>
/// <para>The first response is read at once: a page needs no other thread. From the second on a reader of its own fills whatever slots
/// the writer does not hold.</para>
/// <para>A long scan of a hash at full pace gets a second reader where one is to spare. The scan is cut into stretches then: one reader
/// reads up to the bucket at which the other began, meanwhile, and begins another stretch beyond the other's. Who reads a stretch to
/// its end has read every bucket before the next once, and nothing else, so the stretches one after the other are the scan. Where the
/// bucket has been emptied meanwhile, which the kernel passes over, the reader cannot tell whether it has met the next stretch: that
/// one is dropped, and it goes on itself.</para>
/// </remarks>
internal sealed class ReadAhead : IAsyncDisposable
{
    /// <summary>Slots of a reader: one is written, one waits, one is filled.</summary>
    private const int Slots = 3;

    /// <summary>Slots of each reader where there are two: one of them reads what cannot be written yet.</summary>
    private const int SlotsOfTwo = 8;

    /// <summary>Responses after which a scan is cut into stretches, and of each.</summary>
    private const ulong ResponsesOfStretch = 6;

    /// <summary>Entries from which on a stretch is worth the native calls that it takes to meet the next.</summary>
    private const ulong LeastOfStretch = 1_024;

    private readonly LookupBatchQuery _query;
    private readonly MapLease _lease;
    private readonly Func<MapScan, ScanReader> _read;
    private readonly BufferAccount _account;
    private readonly SpareReaders? _spares;
    private readonly CancellationTokenSource _ended;
    private readonly Lock _lock = new();
    private readonly List<Reader> _readers = [];
    private Stretch _current;
    private Stretch _tail;
    private ReadCost _dropped;
    private ulong _responses;
    private ulong _entries;
    private uint _bucketsOfStretch;
    private double _density;

    /// <summary>Begins to read.</summary>
    /// <param name="scan">The scan.</param>
    /// <param name="query">What the call asked for.</param>
    /// <param name="lease">The map.</param>
    /// <param name="read">Makes a reader of a part of the scan.</param>
    /// <param name="account">What buffers are charged to.</param>
    /// <param name="spares">Where second readers are lent.</param>
    /// <param name="ends">What ends the reading, between two native calls.</param>
    public ReadAhead(
        MapScan scan,
        LookupBatchQuery query,
        MapLease lease,
        Func<MapScan, ScanReader> read,
        BufferAccount account,
        SpareReaders spares,
        params ReadOnlySpan<CancellationToken> ends)
    {
        _query = query;
        _lease = lease;
        _read = read;
        _account = account;
        _spares = query is { Gentle: false, Limit: ulong.MaxValue } ? spares : null;
        _ended = CancellationTokenSource.CreateLinkedTokenSource(ends);
        _current = _tail = new Stretch(scan);
        Reader reader = AddReader();
        Supply(reader, SlotsFor(lease));
        reader.Task = ReadAsync(reader, _current);
    }

    /// <summary>The next response; the caller gives the slot back when it is written. Not safe for concurrent use.</summary>
    /// <remarks>What reading threw is thrown in its turn, after the responses before it. Nothing comes after a response that ends
    /// something.</remarks>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ResponseSlot> NextAsync()
    {
        while (true)
        {
            if (await _current.Filled.Reader.WaitToReadAsync(CancellationToken.None) && _current.Filled.Reader.TryRead(out ResponseSlot? slot))
            {
                return slot;
            }

            _current = _current.Next!;
        }
    }

    /// <summary>Ends the reading, and waits until the map and the slots are used no more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        for (int i = 0; i < _readers.Count; i++)
        {
            await _readers[i].Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // one may have added another
        }

        foreach (Reader reader in _readers)
        {
            reader.Slots.ForEach(slot => slot.Dispose());
        }

        if (_readers.Count > 1)
        {
            _spares!.Return();
        }

        _ended.Dispose();
    }

    /// <summary>With one slot nothing is read while it is written, and the map can be closed. Entries above the size of a response have
    /// two: each may be of the largest size.</summary>
    private static int SlotsFor(MapLease lease) =>
        lease.IsBrief ? 1 : lease.Map.Layout.EntrySize > AgentLimits.TargetResponseBytes ? 2 : Slots;

    private Reader AddReader()
    {
        Reader reader = new();
        _readers.Add(reader);
        // Rather than a token for each wait for a slot, which would be an allocation each time.
        _ended.Token.UnsafeRegister(static free => ((Channel<ResponseSlot>)free!).Writer.TryComplete(), reader.Free);
        return reader;
    }

    private void Supply(Reader reader, int slots)
    {
        while (reader.Slots.Count < slots)
        {
            ResponseSlot slot = new(_lease.Map.Layout, _query.Include, _account, reader.Free.Writer);
            reader.Slots.Add(slot);
            slot.Release();
        }
    }

    /// <summary>Reads one stretch after the other.</summary>
    private async Task ReadAsync(Reader reader, Stretch? stretch)
    {
        while (stretch is not null)
        {
            await ReadAsync(reader, stretch, _read(stretch.Scan));
            stretch = BeginStretch();
        }
    }

    private async Task ReadAsync(Reader reader, Stretch stretch, ScanReader entries)
    {
        try
        {
            while (!IsRead(stretch) && await reader.Free.Reader.WaitToReadAsync(CancellationToken.None))
            {
                ResponseSlot slot = await reader.Free.Reader.ReadAsync(CancellationToken.None); // there is one
                ScanEnd end = await entries.FillAsync(_lease, slot.Buffer, _ended.Token);
                _lease.Release();
                if (!TryHandOver(slot, end, entries.TakeCost(), stretch) || end != ScanEnd.NotYet)
                {
                    break;
                }

                if (_responses == 1)
                {
                    await Task.Yield(); // to whoever writes it
                }

                BeginSecondReader();
            }

            _ended.Token.ThrowIfCancellationRequested();
            stretch.Filled.Writer.Complete();
        }
        catch (Exception e)
        {
            stretch.Filled.Writer.Complete(e);
            throw;
        }
    }

    /// <summary>Hands a filled slot to the writer.</summary>
    /// <returns>Whether the stretch goes on.</returns>
    private bool TryHandOver(ResponseSlot slot, ScanEnd end, ReadCost cost, Stretch stretch)
    {
        lock (_lock)
        {
            if (stretch.IsDropped)
            {
                Drop(slot, cost);
                return false;
            }

            slot.Fill(end, cost + _dropped, stretch.Scan);
            _dropped = default;
            _responses++;
            _entries += cost.Entries;
            if (end == ScanEnd.Completed)
            {
                while (stretch.Next is { } next)
                {
                    DropNext(stretch, next);
                }
            }

            stretch.Filled.Writer.TryWrite(slot);
            return true;
        }
    }

    /// <summary>Whether nothing of a stretch is left to read. What it ran into and did not meet is its own from now on.</summary>
    private bool IsRead(Stretch stretch)
    {
        lock (_lock)
        {
            while (stretch.Scan.HasReachedStop)
            {
                if (((BucketScan)stretch.Scan).Bucket == stretch.Next!.Start)
                {
                    return true;
                }

                DropNext(stretch, stretch.Next);
            }

            return stretch.IsDropped;
        }
    }

    private void DropNext(Stretch stretch, Stretch next)
    {
        next.IsDropped = true;
        while (next.Filled.Reader.TryRead(out ResponseSlot? slot))
        {
            Drop(slot, slot.Cost);
        }

        stretch.Next = next.Next;
        ((BucketScan)stretch.Scan).StopAt(next.Next?.Start ?? 0, _density);
        _tail = next == _tail ? stretch : _tail;
    }

    /// <summary>What was read for nothing was read: it costs all the same.</summary>
    private void Drop(ResponseSlot slot, ReadCost cost)
    {
        _dropped += cost with { Entries = 0 };
        slot.Release();
    }

    /// <summary>Takes a second reader once it is known how many entries buckets have.</summary>
    private void BeginSecondReader()
    {
        if (_spares is null || _responses != ResponsesOfStretch || _entries < LeastOfStretch || _current.Scan is not BucketScan scan)
        {
            return;
        }

        _bucketsOfStretch = scan.Bucket - _current.Start;
        _density = _entries / (double)_bucketsOfStretch;
        if (scan.BucketsLeft < 4L * _bucketsOfStretch || !_spares.TryTake())
        {
            return;
        }

        _account.Reserve(BufferBudget.ReaderReserve);
        Reader second = AddReader();
        _readers.ForEach(reader => Supply(reader, SlotsOfTwo));
        second.Task = Task.Run(() => ReadAsync(second, BeginStretch()), CancellationToken.None);
    }

    /// <summary>Begins a stretch well beyond where the last one is being read.</summary>
    /// <returns>Null where too little of the map is left for two.</returns>
    private Stretch? BeginStretch()
    {
        lock (_lock)
        {
            if (_readers.Count == 1 || (BucketScan)_tail.Scan is var tail && tail.BucketsLeft < 2L * _bucketsOfStretch
                || tail.TryBeginNear(_lease.Map, tail.Bucket + _bucketsOfStretch) is not { } scan)
            {
                return null;
            }

            tail.StopAt(scan.Bucket, _density);
            return _tail = _tail.Next = new Stretch(scan);
        }
    }

    /// <summary>Who fills slots.</summary>
    private sealed class Reader
    {
        public List<ResponseSlot> Slots { get; } = [];

        public Channel<ResponseSlot> Free { get; } = Channel.CreateUnbounded<ResponseSlot>(new() { SingleReader = true });

        public Task Task { get; set; } = Task.CompletedTask;
    }

    /// <summary>A part of the scan; the next one begins where it stops, and the last goes to the end of the map.</summary>
    private sealed class Stretch(MapScan scan)
    {
        public MapScan Scan => scan;

        /// <summary>The bucket that the stretch begins at, where it is not the first.</summary>
        public uint Start { get; } = (scan as BucketScan)?.Bucket ?? 0;

        public Channel<ResponseSlot> Filled { get; } = Channel.CreateBounded<ResponseSlot>(SlotsOfTwo); // a reader has no more

        public Stretch? Next { get; set; }

        public bool IsDropped { get; set; }
    }
}
