using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps.LookupBatch;
using BpfRemote.Agent.Maps.LookupBatch.Scans;
using BpfRemote.Libbpf;
using BpfRemote.Simulation;
using BpfRemote.V1;
using Grpc.Core;
using Xunit;

namespace BpfRemote.Agent.Tests.Maps;

/// <summary>Scan strategies, step by step, each step continued from nothing but the position that the one before wrote.</summary>
public sealed class MapScanTests
{
    private static readonly Room OneEntry = new(Step: 1, Fit: 1, Max: 1);

    private readonly BufferAccount _account = new BufferBudget(new AgentLimits()).OpenScan("anybody");
    private readonly SimulatedMapSource _node = new(new SimulatedNode(), TimeProvider.System);

    [Fact]
    public void A_walk_whose_key_is_deleted_begins_anew_where_the_kernel_would_end_it()
    {
        // cgroup storage: get_next_key of a deleted key reports the end.
        SimulatedMap map = Fill(new(BpfMapType.CgroupStorage, "cgroups", KeySize: 8, ValueSize: 4, MaxEntries: 0), 3);
        List<string> keys = [];
        uint restarts = Drive(map, OneEntry, keys, afterStep: last =>
        {
            if (keys.Count == 1)
            {
                Assert.Equal(Errno.None, map.Delete(last));
            }
        });

        Assert.Equal(1u, restarts);
        Assert.Equal(3, keys.Distinct().Count());
    }

    [Fact]
    public void A_walk_ends_where_the_kernel_runs_past_the_end_of_cgroup_storage()
    {
        SimulatedMap map = Fill(new(BpfMapType.CgroupStorage, "cgroups", KeySize: 8, ValueSize: 4, MaxEntries: 0), 3);
        using MapWithoutEnd handle = new(_node.OpenById(map.Id));
        using EntryBuffer buffer = new(keySize: 8, valueStride: 4, Include.KeysAndValues, _account);

        ScanStep end = MapScan.Start(handle).Step(handle, buffer, new Room(100, 100, 100));

        Assert.Equal(ScanStep.Completed, end);
        Assert.Equal(3, buffer.Count);
    }

    [Fact]
    public void A_walk_is_given_up_when_every_key_it_stands_on_is_deleted()
    {
        SimulatedMap map = Fill(new(BpfMapType.DevMapHash, "devices", KeySize: 4, ValueSize: 4, MaxEntries: 8), 4);
        uint added = 100;

        RpcException error = Assert.Throws<RpcException>(() => Drive(map, OneEntry, [], afterStep: last =>
        {
            map.Delete(last);
            map.Update(BitConverter.GetBytes(added++), [1, 0, 0, 0]);
        }));

        Assert.Equal(StatusCode.Aborted, error.StatusCode);
    }

    [Fact]
    public void A_trie_gives_no_key_twice_while_its_cursor_is_deleted_after_every_page()
    {
        SimulatedMap map = _node.CreateMap(new(BpfMapType.LpmTrie, "routes", KeySize: 8, ValueSize: 4, MaxEntries: 1_000));
        for (int i = 0; i < 200; i++)
        {
            map.Update(Prefix(32, 10, 0, 0, (byte)i), BitConverter.GetBytes(i));
        }

        List<string> keys = [];
        // The first key stays, so that every deletion sends the walk back to it.
        uint restarts = Drive(map, OneEntry, keys, afterStep: last =>
        {
            if (keys.Count > 1)
            {
                map.Delete(last);
            }
        });

        Assert.Equal(200, keys.Count);
        Assert.Equal(200, keys.Distinct().Count());
        Assert.True(restarts > 0);
    }

    [Fact]
    public void A_trie_that_grows_ahead_of_its_scan_for_ever_is_given_up()
    {
        SimulatedMap map = _node.CreateMap(new(BpfMapType.LpmTrie, "routes", KeySize: 8, ValueSize: 4, MaxEntries: 4));
        map.Update(Prefix(32, 0, 0, 0, 0), [1, 2, 3, 4]);
        uint next = 1;

        RpcException error = Assert.Throws<RpcException>(() => Drive(map, OneEntry, [], afterStep: last =>
        {
            map.Delete(last);
            byte[] address = BitConverter.GetBytes(System.Net.IPAddress.HostToNetworkOrder((int)next++));
            map.Update([32, 0, 0, 0, .. address], [1, 2, 3, 4]);
        }));

        Assert.Equal(StatusCode.Aborted, error.StatusCode);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void A_bucket_larger_than_the_room_comes_whole_and_alone(int fit)
    {
        SimulatedMap map = Fill(new(BpfMapType.Hash, "crowded", KeySize: 4, ValueSize: 4, MaxEntries: 256), 256);
        HashSet<string> buckets = [];
        List<string> keys = [];
        Drive(map, new Room(fit, fit, int.MaxValue / 64), keys, (buffer, before) =>
        {
            // Read again from the same position with room for all: a prefix of it must be what came, and end where a bucket ends.
            if (buffer.Count > fit)
            {
                Assert.True(CountOfFirstBucket(map, before) == buffer.Count);
            }

            Assert.True(buffer.Count == 0 || buckets.Add(Convert.ToHexString(before)));
        });

        Assert.Equal(256, keys.Count);
        Assert.Equal(256, keys.Distinct().Count());
    }

    [Theory]
    [InlineData(BpfMapType.Hash, new byte[] { 0, 0, 0 })]
    [InlineData(BpfMapType.Hash, new byte[] { 0, 1, 0, 0 })]
    [InlineData(BpfMapType.Array, new byte[] { 0, 1, 0, 0 })]
    [InlineData(BpfMapType.Array, new byte[] { 255, 255, 255, 255, 0 })]
    [InlineData(BpfMapType.ProgArray, new byte[] { 0, 1, 0, 0 })]
    [InlineData(BpfMapType.DevMapHash, new byte[] { 1, 2, 3 })]
    [InlineData(BpfMapType.Queue, new byte[] { 1 })]
    public void A_position_that_the_map_cannot_have_is_refused(BpfMapType type, byte[] position)
    {
        SimulatedMap map = _node.CreateMap(new(type, "map", type == BpfMapType.Queue ? 0u : 4u, ValueSize: 4, MaxEntries: 256));
        using IBpfMap handle = _node.OpenById(map.Id);

        Assert.Null(MapScan.Resume(handle, position, restarts: 0));
    }

    [Theory]
    [InlineData(new byte[] { 33, 0, 10, 0, 0, 1, 0 })]
    [InlineData(new byte[] { 32, 0, 10, 0, 0 })]
    [InlineData(new byte[] { 32 })]
    public void A_trie_position_that_is_no_prefix_is_refused(byte[] position)
    {
        SimulatedMap map = _node.CreateMap(new(BpfMapType.LpmTrie, "routes", KeySize: 8, ValueSize: 4, MaxEntries: 4));
        using IBpfMap handle = _node.OpenById(map.Id);

        Assert.Null(MapScan.Resume(handle, position, restarts: 0));
    }

    [Theory]
    [InlineData(Errno.EFAULT)]
    [InlineData(Errno.EBUSY)]
    [InlineData(Errno.ENOMEM)]
    public void An_error_that_stays_fails_the_scan(Errno errno)
    {
        SimulatedMap map = Fill(new(BpfMapType.Hash, "failing", KeySize: 4, ValueSize: 4, MaxEntries: 64), 0);
        map.InjectErrors(NativeCall.LookupBatch, errno, onCall: 1, times: int.MaxValue);

        using IBpfMap handle = _node.OpenById(map.Id);
        using EntryBuffer buffer = new(keySize: 4, valueStride: 4, Include.KeysAndValues, _account);
        MapScan scan = MapScan.Start(handle);

        BpfException error = Assert.Throws<BpfException>(() =>
        {
            while (scan.Step(handle, buffer, new Room(16, 16, 16)) != ScanStep.Completed)
            {
            }
        });

        Assert.Equal(errno, error.Errno);
    }

    private static byte[] Prefix(byte length, params byte[] address) => [length, 0, 0, 0, .. address];

    /// <summary>Scans to the end, resuming from the written position before every step.</summary>
    /// <returns>Restarts of the whole scan.</returns>
    private uint Drive(SimulatedMap map, Room room, List<string> keys, Action<byte[]> afterStep) =>
        Drive(map, room, keys, (buffer, _) =>
        {
            if (buffer.Count > 0)
            {
                afterStep(buffer.Keys[^(int)map.Info.KeySize..].ToArray());
            }
        });

    private uint Drive(SimulatedMap map, Room room, List<string> keys, Action<EntryBuffer, byte[]>? afterStep = null)
    {
        byte[] position = StartOf(map);
        uint restarts = 0;
        ulong entries = 0;
        using IBpfMap handle = _node.OpenById(map.Id);
        for (bool complete = false; !complete;)
        {
            using EntryBuffer buffer = new(handle.Layout.KeySize, handle.Layout.ValueStride, Include.KeysAndValues, _account);
            MapScan scan = MapScan.Resume(handle, position, restarts)!;
            ScanStep step;
            do
            {
                step = scan.Step(handle, buffer, room);
            }
            while (step == ScanStep.Advanced && buffer.Count == 0 && scan is BucketScan); // still searching one bucket

            complete = step == ScanStep.Completed;
            byte[] before = position;
            byte[] written = new byte[1_024];
            position = written[..scan.WritePosition(written)];
            restarts = scan.Restarts;
            entries += (ulong)buffer.Count;
            if (entries > scan.MaxEntries)
            {
                throw scan.Unstable("beyond the bound");
            }

            Assert.True(restarts <= AgentLimits.MaxScanRestarts);
            keys.AddRange(buffer.Keys.ToArray().Chunk((int)map.Info.KeySize).Select(Convert.ToHexString));
            afterStep?.Invoke(buffer, before);
        }

        return restarts;
    }

    private byte[] StartOf(SimulatedMap map)
    {
        using IBpfMap handle = _node.OpenById(map.Id);
        byte[] written = new byte[1_024];
        return written[..MapScan.Start(handle).WritePosition(written)];
    }

    private int CountOfFirstBucket(SimulatedMap map, byte[] position)
    {
        using IBpfMap handle = _node.OpenById(map.Id);
        for (int count = 1; ; count++)
        {
            MapCursor cursor = new(map.Info.KeySize);
            if (position.Length > 0)
            {
                cursor.MoveTo(BitConverter.ToUInt32(position));
            }

            BatchResult page = handle.LookupBatch(cursor, new byte[count * 4], new byte[count * 4], count);
            if (page.Error != Errno.ENOSPC)
            {
                return page.Count;
            }
        }
    }

    private SimulatedMap Fill(SimulatedMapSpec spec, int entries)
    {
        SimulatedMap map = _node.CreateMap(spec);
        for (int i = 0; i < entries; i++)
        {
            byte[] key = new byte[spec.KeySize];
            BitConverter.TryWriteBytes(key, i);
            Assert.Equal(Errno.None, map.Update(key, new byte[spec.ValueSize]));
        }

        return map;
    }

    /// <summary>Names a key that is not there after the last one, as kernels before the fix do for cgroup storage.</summary>
    private sealed class MapWithoutEnd(IBpfMap map) : IBpfMap
    {
        public MapInfo Info => map.Info;

        public MapLayout Layout => map.Layout;

        public BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count) =>
            map.LookupBatch(cursor, keys, values, count);

        public Errno LookupElement(ReadOnlySpan<byte> key, Span<byte> value) => map.LookupElement(key, value);

        public Errno GetNextKey(ReadOnlySpan<byte> key, Span<byte> nextKey)
        {
            Errno error = map.GetNextKey(key, nextKey);
            if (error == Errno.ENOENT)
            {
                nextKey.Fill(0xA5);
            }

            return Errno.None;
        }

        public void Dispose() => map.Dispose();
    }
}
