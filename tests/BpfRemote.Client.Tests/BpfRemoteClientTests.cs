using System.Buffers.Binary;
using BpfRemote.V1;
using Grpc.Net.Client;

namespace BpfRemote.Client.Tests;

public sealed class BpfRemoteClientTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_node_and_a_map_come_as_the_agent_sends_them()
    {
        FakeMapService service = new(1);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        Assert.Equal("node-1", (await client.GetNodeAsync(Cancellation)).Hostname);
        Assert.Equal(service.Map, await client.GetMapAsync(MapSelectors.ById(7), MapView.Full, Cancellation));
    }

    [Fact]
    public async Task Listing_goes_on_to_the_last_page_with_the_same_filter()
    {
        await using FakeAgent agent = await FakeAgent.StartAsync(new(1));
        using BpfRemoteClient client = agent.Connect();
        ListMapsRequest filter = new() { NameGlob = "a*" };

        List<Map> maps = await client.ListMapsAsync(filter, Cancellation).ToListAsync(Cancellation);

        Assert.Equal([0u, 1u, 4u, 5u], maps.Select(map => map.Id));
        Assert.Equal("a*", maps[2].Name);
        Assert.Equal("", filter.PageToken);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task Any_number_of_keys_is_looked_up_in_calls_of_what_the_map_allows(int count)
    {
        FakeMapService service = new(6);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();
        byte[] keys = new byte[count * FakeMapService.KeySize];
        for (int i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(keys.AsSpan(i * FakeMapService.KeySize), i);
        }

        LookupResult result = await client.LookupAsync(MapSelectors.ByName("squares"), keys, Cancellation);

        Assert.Equal(count, result.Count);
        Assert.Equal((count + 2) / 3, service.Lookups.Length);
        Assert.All(service.Lookups, lookup => Assert.Equal(MapSelectors.ById(7), lookup.Map));
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(keys.AsSpan(i * FakeMapService.KeySize, FakeMapService.KeySize), result.Key(i));
            Assert.Equal(i < 6, result.IsFound(i));
            Assert.Equal(i < 6 ? i * i : 0, BinaryPrimitives.ReadInt64LittleEndian(result.Value(i)));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => result.IsFound(count));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task Keys_of_the_wrong_size_are_not_sent(int length)
    {
        FakeMapService service = new(6);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        await Assert.ThrowsAsync<ArgumentException>(() => client.LookupAsync(MapSelectors.ById(7), new byte[length], Cancellation));
        Assert.Empty(service.Lookups);
    }

    [Fact]
    public async Task A_map_without_keys_is_for_the_agent_to_refuse()
    {
        FakeMapService service = new(6);
        service.Map.MaxLookupKeys = 0;
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        await Assert.ThrowsAsync<InvalidResponseException>(() => client.LookupAsync(MapSelectors.ById(7), new byte[4], Cancellation));
        Assert.Single(service.Lookups);
    }

    [Fact]
    public async Task Cancelling_a_call_ends_it_as_cancelled()
    {
        using CancellationTokenSource cancellation = new();
        FakeMapService service = new(1)
        {
            Refusal = async context =>
            {
                await cancellation.CancelAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
            },
        };
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.GetMapAsync(MapSelectors.ById(7), cancellationToken: cancellation.Token));
    }

    [Fact]
    public async Task A_large_answer_is_received()
    {
        FakeMapService service = new(300_000);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        List<int> received = await client.Scan(MapSelectors.ById(7), new() { BatchSize = 300_000 }).ReadAsync(service);

        Assert.Equal(300_000, received.Count);
    }

    [Fact]
    public async Task Two_clients_may_share_a_channel_of_their_callers()
    {
        FakeMapService service = new(5);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://127.0.0.1:{agent.Port}");

        for (int i = 0; i < 2; i++)
        {
            using BpfRemoteClient client = new(channel.CreateCallInvoker());
            Assert.Equal(Enumerable.Range(0, 5), await client.Scan(MapSelectors.ById(7)).ReadAsync(service));
        }
    }
}
