using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps;
using BpfRemote.Agent.Maps.LookupBatch;
using BpfRemote.Agent.Maps.LookupBatch.Scans;
using BpfRemote.Libbpf;
using BpfRemote.Simulation;
using BpfRemote.V1;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BpfRemote.Agent.Tests.Maps;

public sealed class ScanReaderTests
{
    private const int Entries = 100;

    private readonly FakeTimeProvider _time = new();
    private readonly SimulatedMapSource _node;
    private readonly KernelTimeQuota _quota;

    public ScanReaderTests()
    {
        _node = new SimulatedMapSource(new SimulatedNode(), _time);
        _quota = new KernelTimeQuota(_ => new() { KernelTimePerMinute = TimeSpan.FromSeconds(1) }, _time);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_scan_beyond_its_quota_says_so_every_ten_seconds_and_goes_on()
    {
        SimulatedMap map = _node.CreateMap(new(BpfMapType.Hash, "quota", KeySize: 4, ValueSize: 4, MaxEntries: Entries));
        for (int number = 0; number < Entries; number++)
        {
            Assert.Equal(Errno.None, map.Update(BitConverter.GetBytes(number), BitConverter.GetBytes(number)));
        }

        IBpfMap handle = _node.OpenById(map.Id);
        using MapLease lease = new(handle, new MapResolver(_node));
        LookupBatchQuery query = LookupBatchQuery.Parse(new() { Map = new() { Id = map.Id }, Pace = Pace.Full });
        ScanReader reader = new(handle, MapScan.Start(handle), query, new CallPace("anybody", _quota, null), _node, _time);
        using EntryBuffer buffer = new(keySize: 4, valueStride: 4, query.Include, new BufferBudget(new AgentLimits()).OpenScan("anybody"));
        _quota.Spend("anybody", TimeSpan.FromSeconds(1) + TimeSpan.FromMilliseconds(400)); // 24 seconds too much

        for (int wait = 0; wait < 2; wait++)
        {
            ValueTask<ScanEnd> progress = reader.FillAsync(lease, buffer, Cancelled);
            _time.Advance(AgentLimits.ProgressInterval - TimeSpan.FromMilliseconds(1));
            Assert.False(progress.IsCompleted);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(ScanEnd.NotYet, await progress);
            Assert.Equal(0, buffer.Count);
        }

        ValueTask<ScanEnd> rest = reader.FillAsync(lease, buffer, Cancelled);
        Assert.False(rest.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(ScanEnd.Completed, await rest);
        Assert.Equal(Entries, buffer.Count);
        Assert.InRange(reader.TakeCost().PaceWaitTime, TimeSpan.FromSeconds(24), TimeSpan.FromSeconds(25));
    }
}
