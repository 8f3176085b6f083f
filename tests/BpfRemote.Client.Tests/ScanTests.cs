using System.Buffers.Binary;
using BpfRemote.V1;

namespace BpfRemote.Client.Tests;

public sealed class ScanTests
{
    private static readonly MapSelector Map = MapSelectors.ByName("squares");

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(25, 0)]
    [InlineData(25, 1)]
    [InlineData(1000, 100)]
    public async Task A_scan_returns_every_entry_in_one_call(int entries, uint batchSize)
    {
        FakeMapService service = new(entries);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        List<int> received = await client.Scan(Map, new() { BatchSize = batchSize }).ReadAsync(service);

        Assert.Equal(Enumerable.Range(0, entries), received);
        Assert.Equal(["/0"], service.Continuations);
    }

    [Fact]
    public async Task The_request_carries_the_options()
    {
        FakeMapService service = new(5);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();
        ScanOptions options = new() { BatchSize = 2, Limit = 3, Pace = Pace.Full, Include = Include.Keys, ContinuationToken = "1" };

        await foreach (MapBatch _ in client.Scan(MapSelectors.ById(7), options))
        {
        }

        LookupBatchRequest expected = new()
        {
            Map = new() { Id = 7 },
            BatchSize = 2,
            Limit = 3,
            Pace = Pace.Full,
            Include = Include.Keys,
            ContinuationToken = "1",
        };
        // The client's request object moves on with the scan; what the service received is what was sent.
        Assert.Equal(expected, Assert.Single(service.Scans));
    }

    [Fact]
    public async Task Pages_by_limit_and_token_make_up_the_map()
    {
        FakeMapService service = new(25);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        List<int> received = [];
        string token = "";
        do
        {
            await foreach (MapBatch batch in client.Scan(Map, new() { Limit = 7, BatchSize = 3, ContinuationToken = token }))
            {
                for (int i = 0; i < batch.Count; i++)
                {
                    received.Add(BinaryPrimitives.ReadInt32LittleEndian(batch.Key(i)));
                }

                token = batch.ContinuationToken;
                Assert.Equal(token.Length == 0, batch.IsComplete);
            }
        }
        while (token.Length > 0);

        Assert.Equal(Enumerable.Range(0, 25), received);
        Assert.Equal(["/7", "7/7", "14/7", "21/7"], service.Continuations);
    }

    [Fact]
    public async Task Each_enumeration_scans_anew()
    {
        FakeMapService service = new(25);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();
        MapScan scan = client.Scan(Map, new() { Limit = 20 });

        Assert.Equal(await scan.ReadAsync(service), await scan.ReadAsync(service));
        Assert.Equal(["/20", "/20"], service.Continuations);
    }

    [Theory]
    [InlineData(Include.Keys, FakeMapService.KeySize)]
    [InlineData(Include.CountOnly, 0)]
    public async Task What_was_not_asked_for_is_empty(Include include, int keySize)
    {
        FakeMapService service = new(25);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        int count = 0;
        await foreach (MapBatch batch in client.Scan(Map, new() { Include = include }))
        {
            Assert.Equal(batch.Count * keySize, batch.Keys.Length);
            Assert.Equal(0, batch.Values.Length);
            foreach (MapEntry entry in batch)
            {
                Assert.Equal(keySize, entry.Key.Length);
                Assert.Equal(0, entry.Value.Length);
                count++;
            }
        }

        Assert.Equal(25, count);
    }

    [Fact]
    public async Task Batches_stay_as_they_were_after_the_scan()
    {
        FakeMapService service = new(100);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        List<MapBatch> batches = [];
        await foreach (MapBatch batch in client.Scan(Map))
        {
            batches.Add(batch);
        }

        Assert.Equal(10, batches.Count);
        Assert.All(batches, batch => Assert.Equal("squares", batch.Layout.MapName));
        Assert.Equal(
            Enumerable.Range(0, 100),
            batches.SelectMany(batch => Enumerable.Range(0, batch.Count).Select(i => BinaryPrimitives.ReadInt32LittleEndian(batch.Key(i)))));
    }

    [Fact]
    public async Task Leaving_a_scan_early_ends_the_call_on_the_agent()
    {
        FakeMapService service = new(100);
        TaskCompletionSource ended = new();
        service.Script(new(2, async context =>
        {
            using CancellationTokenRegistration registration = context.CancellationToken.Register(() => ended.SetResult());
            await ended.Task;
        }, IsLockstep: false));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        await foreach (MapBatch _ in client.Scan(Map))
        {
            break;
        }

        await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_scan_needs_a_map_or_a_token()
    {
        using BpfRemoteClient client = BpfRemoteClient.Connect(new());

        Assert.Throws<ArgumentException>(() => client.Scan(null));
        Assert.NotNull(client.Scan(null, new() { ContinuationToken = "1" }));
    }
}
