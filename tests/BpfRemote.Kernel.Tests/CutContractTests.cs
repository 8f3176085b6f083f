using BpfRemote.Client;
using BpfRemote.Kernel.Tests.Harness;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;
using static BpfRemote.Client.MapSelectors;

namespace BpfRemote.Kernel.Tests;

/// <summary>How a scan is cut into responses, and what is too large to be cut.</summary>
public abstract class CutContractTests : AgentTests
{
    private const int TargetBytes = 65_536;
    private const uint MiB = 1 << 20;

    [Fact]
    public async Task Responses_are_aimed_at_64_KiB()
    {
        using ITestMap map = Kernel.Create(new(BpfMapType.Hash, 8, 56, 10_000));
        Fill(map, 10_000);
        List<MapBatch> batches = await ScanAsync(ById(map.Id));
        Assert.All(batches[..^1], batch => Assert.InRange(batch.Keys.Length + batch.Values.Length, TargetBytes * 3 / 4, TargetBytes));
        Assert.Equal(10_000, batches.Sum(batch => batch.Count));
    }

    [Fact]
    public async Task Only_what_is_included_is_sent()
    {
        using ITestMap map = Kernel.Create(new(BpfMapType.Hash, 8, 56, 10_000));
        EntrySet expected = Fill(map, 10_000);
        EntrySet keys = new();
        foreach (MapBatch batch in await ScanAsync(ById(map.Id), new() { Pace = Pace.Full, Include = Include.Keys }))
        {
            Assert.True(batch.Values.IsEmpty);
            foreach (MapEntry entry in batch)
            {
                keys.Add(entry.Key, []);
            }
        }

        EntrySet.AssertEqual(expected.KeysOnly(8), keys, "keys");

        List<MapBatch> counts = await ScanAsync(ById(map.Id), new() { Pace = Pace.Full, Include = Include.CountOnly });
        Assert.All(counts, batch => Assert.True(batch.Keys.IsEmpty && batch.Values.IsEmpty));
        Assert.Equal(expected.Count, counts.Sum(batch => batch.Count));
        Assert.Equal(0UL, counts[^1].Cost.Bytes);
    }

    [Theory]
    [InlineData(BpfMapType.Hash)]
    [InlineData(BpfMapType.LpmTrie)]
    [InlineData(BpfMapType.DevMapHash)]
    [InlineData(BpfMapType.ArrayOfMaps)]
    [InlineData(BpfMapType.Queue)]
    public async Task An_empty_map_gives_one_empty_response(BpfMapType type)
    {
        uint keySize = type switch
        {
            BpfMapType.Queue => 0,
            BpfMapType.LpmTrie => 8,
            _ => 4,
        };
        using ITestMap map = Kernel.Create(MapShape.For(type, keySize, 4, 10));
        MapBatch only = Assert.Single(await ScanAsync(ById(map.Id)));
        Assert.Equal(0, only.Count);
        Assert.True(only.IsComplete);
        Assert.Equal((map.Id, keySize), (only.Layout.MapId, only.Layout.KeySize));
    }

    [Fact]
    public async Task A_limit_beyond_the_map_is_no_limit()
    {
        using ITestMap map = Kernel.Create(new(BpfMapType.Hash, 4, 8, 100));
        EntrySet expected = Fill(map, 100);
        List<MapBatch> batches = await ScanAsync(ById(map.Id), new() { Limit = ulong.MaxValue, BatchSize = uint.MaxValue });
        Assert.True(Assert.Single(batches).IsComplete);
        Assert.Equal(expected.Count, batches[0].Count);
    }

    [Fact]
    public async Task A_bucket_of_several_mebibytes_exceeds_batch_size_and_stays_whole()
    {
        using ITestMap map = CreateSharedBucket(valueSize: MiB, entries: 3);
        MapBatch first = (await ScanAsync(ById(map.Id), new() { BatchSize = 1, Pace = Pace.Full }))[0];
        Assert.Equal(3, first.Count);
        MapBatch limited = Assert.Single(await ScanAsync(ById(map.Id), new() { Limit = 1, Pace = Pace.Full }));
        Assert.Equal(3, limited.Count);
    }

    [Fact]
    public async Task A_bucket_beyond_a_response_is_refused_with_its_sizes()
    {
        using ITestMap map = CreateSharedBucket(valueSize: 2 * MiB, entries: 2);
        foreach (ScanOptions options in (ScanOptions[])[new(), new() { BatchSize = 1 }, new() { Limit = 1 }, new() { Include = Include.CountOnly }])
        {
            BpfRemoteException error = await AssertFails(
                StatusCode.FailedPrecondition, ErrorReason.EntryTooLarge, () => ScanAsync(ById(map.Id), options));
            Assert.Equal($"{4 + (2 * MiB)}", error.Metadata["entry_size"]);
            Assert.Equal("3670016", error.Metadata["max_response_bytes"]);
        }
    }

    [Fact]
    public async Task An_entry_beyond_a_response_makes_the_map_unreadable()
    {
        using ITestMap map = Kernel.Create(new(BpfMapType.Hash, 4, 3_670_016 - 3, 1));
        Map described = await Agent.Client.GetMapAsync(ById(map.Id), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(ReadMethod.None, described.ReadSupport.ReadMethod);
        Assert.StartsWith("ENTRY_TOO_LARGE", described.ReadSupport.Reason, StringComparison.Ordinal);
        Assert.Equal(0u, described.MaxLookupKeys);
        await AssertFails(StatusCode.FailedPrecondition, ErrorReason.EntryTooLarge, () => ScanAsync(ById(map.Id)));
        await AssertFails(
            StatusCode.FailedPrecondition, ErrorReason.EntryTooLarge, () => Agent.Client.LookupAsync(ById(map.Id), new byte[4]));
    }

    [Fact]
    public async Task An_entry_that_just_fits_a_response_is_read()
    {
        using ITestMap map = Kernel.Create(new(BpfMapType.Hash, 4, 3_670_016 - 4, 1));
        EntrySet expected = Fill(map, 1);
        Reading reading = await Reading.ReadAsync(Agent.Client, ById(map.Id), Paging.OneStream, pageSize: 0);
        EntrySet.AssertEqual(expected, reading.Entries(map.Shape), "one entry of 3.5 MiB");
    }

    /// <summary>A hash all of whose entries are in one bucket.</summary>
    private ITestMap CreateSharedBucket(uint valueSize, int entries)
    {
        ITestMap map = Kernel.Create(new(BpfMapType.Hash, 4, valueSize, (uint)entries) { Flags = DemoMaps.MapFlags.BPF_F_NO_PREALLOC });
        using IBpfMap opened = Kernel.Source.OpenById(map.Id);
        int shared = 0;
        for (int number = 0; shared < entries; number++)
        {
            byte[] key = EntryData.Key(map.Shape, number);
            map.Put(key, number);
            if (BucketOracle.Of(opened).Sizes.Count == 1)
            {
                shared++;
            }
            else
            {
                map.Delete(key);
            }
        }

        return map;
    }
}

/// <summary>The contract on the kernel of this machine.</summary>
public sealed class KernelCutContractTests : CutContractTests
{
    protected override ITestKernel OpenKernel() => RealKernel.OpenOrSkip();
}

/// <summary>The contract on the simulated kernel.</summary>
public sealed class SimulatedCutContractTests : CutContractTests
{
    [Fact]
    public async Task Keys_that_are_walked_and_do_not_fit_a_token_make_the_map_unreadable()
    {
        using ITestMap map = Kernel.Create(new(BpfMapType.SockHash, 513, 8, 10));
        Map described = await Agent.Client.GetMapAsync(ById(map.Id), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(ReadMethod.None, described.ReadSupport.ReadMethod);
        Assert.StartsWith("KEY_TOO_LARGE", described.ReadSupport.Reason, StringComparison.Ordinal);
        await AssertFails(StatusCode.FailedPrecondition, ErrorReason.KeyTooLarge, () => ScanAsync(ById(map.Id)));
    }

    protected override ITestKernel OpenKernel() => new SimulatedKernel();
}
