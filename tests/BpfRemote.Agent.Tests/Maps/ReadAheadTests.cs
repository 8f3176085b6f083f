using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps;
using BpfRemote.Agent.Maps.LookupBatch;
using BpfRemote.Agent.Maps.LookupBatch.Scans;
using BpfRemote.Libbpf;
using BpfRemote.Simulation;
using BpfRemote.V1;
using Xunit;

namespace BpfRemote.Agent.Tests.Maps;

public sealed class ReadAheadTests
{
    private const int Entries = 100_000;

    private readonly SimulatedMapSource _node = new(new SimulatedNode(), TimeProvider.System);
    private readonly SpareReaders _spares = new(cpus: 2);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Every_entry_comes_once_and_each_position_continues_the_scan(int cpus)
    {
        SpareReaders spares = new(cpus);
        SimulatedMap map = FilledMap();
        int[] seen = new int[Entries];
        List<(byte[] Position, int Read)> positions = [];
        WatchedMap watched = new(_node.OpenById(map.Id));
        await ReadAsync(watched, spares, slot =>
        {
            Count(slot.Buffer.Keys.Span, seen);
            positions.Add((slot.Position.ToArray(), seen.Sum()));
        });

        Assert.Equal(cpus > 1, watched.Jumps > 1);
        Assert.All(seen, times => Assert.Equal(1, times));
        using IBpfMap handle = _node.OpenById(map.Id);
        Assert.All(positions.SkipLast(1), at => Assert.Equal(Entries - at.Read, CountFrom(handle, at.Position)));
    }

    [Fact]
    public async Task Where_readers_cannot_meet_one_goes_on_alone()
    {
        SimulatedMap map = FilledMap();
        EmptyingMap handle = new(_node.OpenById(map.Id), map);
        int[] seen = new int[Entries];

        await ReadAsync(handle, _spares, slot => Count(slot.Buffer.Keys.Span, seen));

        Assert.InRange(handle.Deleted.Count, 3, Entries / 10);
        for (int number = 0; number < Entries; number++)
        {
            Assert.True(handle.Deleted.Contains(number) ? seen[number] <= 1 : seen[number] == 1, $"entry {number} came {seen[number]} times");
        }
    }

    [Fact]
    public async Task What_reading_throws_comes_after_the_responses_before_it()
    {
        SimulatedMap map = FilledMap();
        FailingMap handle = new(_node.OpenById(map.Id), from: 1 << 16);
        int[] seen = new int[Entries];
        uint last = 0;

        BpfException error = await Assert.ThrowsAsync<BpfException>(() => ReadAsync(handle, _spares, slot =>
        {
            Count(slot.Buffer.Keys.Span, seen);
            last = BitConverter.ToUInt32(slot.Position.Span);
        }));

        Assert.Equal(Errno.EBADF, error.Errno);
        Assert.InRange(seen.Sum(), Entries / 3, Entries * 2 / 3);
        using IBpfMap rest = _node.OpenById(map.Id);
        Assert.Equal(Entries - seen.Sum(), CountFrom(rest, BitConverter.GetBytes(last)));
        Assert.All(seen, times => Assert.InRange(times, 0, 1));
    }

    [Fact]
    public async Task A_second_reader_is_given_back()
    {
        SimulatedMap map = FilledMap();
        for (int scan = 0; scan < 2; scan++)
        {
            WatchedMap watched = new(_node.OpenById(map.Id));
            await ReadAsync(watched, _spares, _ => { });
            Assert.True(watched.Jumps > 1);
        }
    }

    [Fact]
    public async Task A_call_that_ends_early_leaves_nothing_running()
    {
        SimulatedMap map = FilledMap();
        using IBpfMap handle = _node.OpenById(map.Id);
        using MapLease lease = new(handle, new MapResolver(_node));
        await using (ReadAhead ahead = Start(handle, lease, _spares))
        {
            for (int i = 0; i < 6; i++)
            {
                (await ahead.NextAsync()).Release();
            }
        }

        Assert.True(_spares.TryTake());
    }

    private SimulatedMap FilledMap()
    {
        SimulatedMap map = _node.CreateMap(new(BpfMapType.Hash, "ahead", KeySize: 4, ValueSize: 28, MaxEntries: Entries));
        for (int number = 0; number < Entries; number++)
        {
            Assert.Equal(Errno.None, map.Update(BitConverter.GetBytes(number), new byte[28]));
        }

        return map;
    }

    private ReadAhead Start(IBpfMap handle, MapLease lease, SpareReaders spares)
    {
        LookupBatchQuery query = LookupBatchQuery.Parse(new() { Map = new() { Id = handle.Info.Id }, Pace = Pace.Full });
        KernelTimeQuota quota = new(_ => new(), TimeProvider.System);
        return new ReadAhead(
            MapScan.Start(handle),
            query,
            lease,
            scan => new ScanReader(handle, scan, query, new CallPace("anybody", quota, null), _node, TimeProvider.System),
            new BufferBudget(new AgentLimits()).OpenScan("anybody"),
            spares,
            Cancelled);
    }

    /// <summary>Reads a map to its end.</summary>
    private async Task ReadAsync(IBpfMap handle, SpareReaders spares, Action<ResponseSlot> take)
    {
        using MapLease lease = new(handle, new MapResolver(_node));
        await using ReadAhead ahead = Start(handle, lease, spares);
        ScanEnd end;
        ReadCost cost = default;
        do
        {
            ResponseSlot slot = await ahead.NextAsync();
            end = slot.End;
            cost += slot.Cost;
            take(slot);
            slot.Release();
        }
        while (end == ScanEnd.NotYet);

        Assert.True(cost.NativeCalls > cost.Retries);
    }

    private static void Count(ReadOnlySpan<byte> keys, int[] seen)
    {
        for (; !keys.IsEmpty; keys = keys[sizeof(int)..])
        {
            seen[BitConverter.ToInt32(keys)]++;
        }
    }

    /// <summary>The entries of a scan that continues at a position.</summary>
    private static int CountFrom(IBpfMap handle, byte[] position)
    {
        MapScan scan = MapScan.Resume(handle, position, restarts: 0)!;
        using EntryBuffer buffer = new(keySize: 4, valueStride: 28, Include.CountOnly, new BufferBudget(new AgentLimits()).OpenScan("anybody"));
        while (scan.Step(handle, buffer, new Room(1_000, 1_000, 1_000)) is ScanStep.Advanced)
        {
        }

        return buffer.Count;
    }

    /// <summary>A map that tells where another part of it is begun: sequential reading never jumps.</summary>
    private class WatchedMap(IBpfMap inner) : OtherMap(inner)
    {
        private uint _highest;

        public int Jumps { get; private set; }

        protected Lock Lock { get; } = new();

        public override BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count)
        {
            lock (Lock)
            {
                bool jumps = cursor.Index > _highest;
                BatchResult result = base.LookupBatch(cursor, keys, values, count);
                _highest = Math.Max(_highest, cursor.Index);
                if (jumps)
                {
                    Jumps++;
                    Begun(cursor.Index);
                }

                return result;
            }
        }

        /// <summary>A part begins at a bucket.</summary>
        protected virtual void Begun(uint bucket)
        {
        }
    }

    /// <summary>A map in which, where a reader comes near to the next part, all is deleted from its next bucket to the first of that
    /// part: what it reads then may be of that part.</summary>
    private sealed class EmptyingMap(IBpfMap inner, SimulatedMap map) : WatchedMap(inner)
    {
        private const uint Near = 8;

        private readonly IBpfMap _inner = inner;
        private uint _begun;

        public HashSet<int> Deleted { get; } = [];

        public override BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count)
        {
            lock (Lock)
            {
                if (cursor.Index < _begun && cursor.Index + Near >= _begun)
                {
                    Empty(cursor.Index, _begun);
                    _begun = 0;
                }

                return base.LookupBatch(cursor, keys, values, count);
            }
        }

        protected override void Begun(uint bucket) => _begun = bucket;

        /// <remarks>The first count that is not too small gives one bucket, and nothing of the next.</remarks>
        private void Empty(uint from, uint to)
        {
            byte[] keys = new byte[64 * sizeof(int)];
            MapCursor cursor = new(sizeof(int));
            cursor.MoveTo(from);
            while (cursor.Index <= to)
            {
                BatchResult result = new(0, Errno.ENOSPC);
                for (int count = 1; result.Error == Errno.ENOSPC; count++)
                {
                    result = _inner.LookupBatch(cursor, keys, new byte[64 * 28], count);
                }

                for (int i = 0; i < result.Count; i++)
                {
                    Assert.Equal(Errno.None, map.Delete(keys.AsSpan(i * sizeof(int), sizeof(int))));
                    Deleted.Add(BitConverter.ToInt32(keys, i * sizeof(int)));
                }
            }
        }
    }

    /// <summary>A map that cannot be read from a bucket on.</summary>
    private sealed class FailingMap(IBpfMap inner, uint from) : OtherMap(inner)
    {
        public override BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count) =>
            cursor.Index < from ? base.LookupBatch(cursor, keys, values, count) : new(0, Errno.EBADF);
    }

    private abstract class OtherMap(IBpfMap inner) : IBpfMap
    {
        public MapInfo Info => inner.Info;

        public MapLayout Layout => inner.Layout;

        public virtual BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count) =>
            inner.LookupBatch(cursor, keys, values, count);

        public Errno LookupElement(ReadOnlySpan<byte> key, Span<byte> value) => inner.LookupElement(key, value);

        public Errno GetNextKey(ReadOnlySpan<byte> key, Span<byte> nextKey) => inner.GetNextKey(key, nextKey);

        public void Dispose() => inner.Dispose();
    }
}
