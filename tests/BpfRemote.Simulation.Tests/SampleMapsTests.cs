using BpfRemote.Libbpf;
using BpfRemote.Simulation.Samples;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using static BpfRemote.Simulation.Tests.Maps;

namespace BpfRemote.Simulation.Tests;

public sealed class SampleMapsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly SimulatedMapSource _node;
    private readonly Churn _churn;

    public SampleMapsTests()
    {
        _node = new SimulatedMapSource(new SimulatedNode(), _time);
        _churn = SampleMaps.AddTo(_node);
    }

    [Fact]
    public void TheConnectionTableHoldsTwentyThousandConnectionsAlsoWhileTheyChange()
    {
        using IBpfMap connections = _node.OpenPinned("/sys/fs/bpf/firewall/conn_table");
        Assert.Equal(20_000, KeysOf(connections.ReadAll(256)).Distinct().Count());

        for (int step = 0; step < 100; step++)
        {
            _churn.Step();
        }

        Assert.Equal(20_000, KeysOf(connections.ReadAll(256)).Distinct().Count());
    }

    [Fact]
    public void MostTypesAreThereAndTwoMapsShareAName()
    {
        List<MapInfo> maps = All(_node);

        Assert.Superset(
            new HashSet<BpfMapType>
            {
                BpfMapType.Hash, BpfMapType.LruHash, BpfMapType.PerCpuHash, BpfMapType.PerCpuArray, BpfMapType.Array,
                BpfMapType.LpmTrie, BpfMapType.HashOfMaps, BpfMapType.ArrayOfMaps, BpfMapType.ProgArray, BpfMapType.StackTrace,
                BpfMapType.Queue, BpfMapType.RingBuf, BpfMapType.PerfEventArray, BpfMapType.DevMap, BpfMapType.CpuMap,
                BpfMapType.SockHash,
            },
            maps.Select(map => map.Type).ToHashSet());
        Assert.Equal(2, maps.Count(map => map.Name == "counters"));
        Assert.All(maps, map => Assert.NotEmpty(_node.ReadOwners(TestContext.Current.CancellationToken).Of(map.Id)));
    }

    [Fact]
    public void InnerMapsCanBeOpenedByTheIdsThatTheirOuterMapsHold()
    {
        using IBpfMap services = _node.OpenPinned("/sys/fs/bpf/lb/services");
        List<string> inner = [.. services.ReadAll(10).SelectMany(page => page.Values)];

        Assert.Equal(3, inner.Count);
        Assert.All(inner, id =>
        {
            using IBpfMap open = _node.OpenById(BitConverter.ToUInt32(Convert.FromHexString(id)));
            Assert.StartsWith("backends_", open.Info.Name, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void ARestartGivesTheSameMapsInTheSameOrder()
    {
        SimulatedMapSource restarted = new(new SimulatedNode(), _time);
        Churn churn = SampleMaps.AddTo(restarted);
        for (int step = 0; step < 20; step++)
        {
            _churn.Step();
            churn.Step();
        }

        Assert.Equal(All(_node), All(restarted));
        Assert.Equal(_node.Node.BootId, restarted.Node.BootId);
        foreach (MapInfo map in All(_node).Where(map => map.Type is BpfMapType.Hash or BpfMapType.LpmTrie or BpfMapType.LruHash))
        {
            using IBpfMap before = _node.OpenById(map.Id);
            using IBpfMap after = restarted.OpenById(map.Id);
            Assert.Equal(Flat(before.ReadAll(100)), Flat(after.ReadAll(100)));
        }

        static IEnumerable<string> Flat(List<Page> pages) =>
            pages.SelectMany(page => page.Keys.Concat(page.Values).Append($"{page.Error} {page.Cursor}"));
    }

    [Fact]
    public void TheTimerStepsUntilItIsDisposedOf()
    {
        using IBpfMap cache = _node.OpenPinned("/sys/fs/bpf/lb/flow_cache");
        List<string> before = cache.WalkKeys();
        ITimer timer = _churn.Start(_time, TimeSpan.FromMilliseconds(100));
        _time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.Equal(before, cache.WalkKeys());

        _time.Advance(TimeSpan.FromSeconds(1));
        List<string> after = cache.WalkKeys();
        Assert.NotEqual(before, after);
        Assert.Equal(1024, after.Count);

        timer.Dispose();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(after, cache.WalkKeys());
    }

    [Fact]
    public async Task ReadersAndWritersMayRunAtOnce()
    {
        uint id = All(_node).Single(map => map.Name == "conn_table").Id;
        using CancellationTokenSource done = new();
        Task writer = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                _churn.Step();
            }
        }, CancellationToken.None);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(reader => Task.Run(() =>
        {
            using IBpfMap open = _node.OpenById(id);
            List<string> keys = KeysOf(open.ReadAll(256));
            Assert.Equal(keys.Count, keys.Distinct().Count());
        }, CancellationToken.None)));
        await done.CancelAsync();
        await writer;
    }

    private static List<MapInfo> All(SimulatedMapSource node)
    {
        List<MapInfo> maps = [];
        foreach (uint id in node.MapIds(0))
        {
            using IBpfMap open = node.OpenById(id);
            maps.Add(open.Info);
        }

        return maps;
    }
}
