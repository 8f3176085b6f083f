using BpfRemote.Client;
using BpfRemote.Kernel.Tests.Harness;
using BpfRemote.Libbpf;
using BpfRemote.Simulation;
using BpfRemote.V1;
using Grpc.Core;
using static BpfRemote.Client.MapSelectors;

namespace BpfRemote.Kernel.Tests;

/// <summary>Errors that kernels give rarely, or gave once: those that pass cost no entry, those that do not fail the scan.</summary>
public sealed class KernelErrorTests : AgentTests
{
    private const int Entries = 1_000;
    private const int Always = int.MaxValue;

    /// <summary>Errors of a batch call that pass, for each way of reading by batch.</summary>
    public static IEnumerable<(BpfMapType Type, uint KeySize, Errno Error)> PassingErrors =>
        from type in (BpfMapType[])[BpfMapType.Hash, BpfMapType.PerCpuHash, BpfMapType.Array, BpfMapType.LpmTrie]
        from error in (Errno[])[Errno.EINTR, Errno.EBUSY, Errno.EDEADLK, Errno.ETIMEDOUT, Errno.ENOMEM, Errno.EFAULT, Errno.EAGAIN]
        where type != BpfMapType.Array || error != Errno.EINTR // which is a hole there
        select (type, type == BpfMapType.LpmTrie ? 8u : 4u, error);

    /// <summary>The native call that reads each type, and an error that never passes.</summary>
    public static TheoryData<BpfMapType, NativeCall, Errno> LastingErrors => new()
    {
        { BpfMapType.Hash, NativeCall.LookupBatch, Errno.EBUSY },
        { BpfMapType.Hash, NativeCall.LookupBatch, Errno.EFAULT },
        { BpfMapType.Hash, NativeCall.LookupBatch, Errno.EPERM },
        { BpfMapType.Hash, NativeCall.LookupBatch, Errno.EIO },
        { BpfMapType.Array, NativeCall.LookupBatch, Errno.ENOMEM },
        { BpfMapType.Array, NativeCall.LookupBatch, Errno.EINVAL },
        { BpfMapType.LpmTrie, NativeCall.LookupBatch, Errno.EFAULT },
        { BpfMapType.LpmTrie, NativeCall.LookupBatch, Errno.ENOTSUPP },
        { BpfMapType.DevMapHash, NativeCall.GetNextKey, Errno.EFAULT },
        { BpfMapType.DevMapHash, NativeCall.LookupElement, Errno.EPERM },
        { BpfMapType.ProgArray, NativeCall.LookupElement, Errno.EBUSY },
        { BpfMapType.Queue, NativeCall.LookupElement, Errno.EBUSY },
        { BpfMapType.Hash, NativeCall.Open, Errno.EMFILE },
    };

    [Theory]
    [MemberData(nameof(PassingErrors))]
    public async Task An_error_that_passes_loses_and_repeats_nothing(BpfMapType type, uint keySize, Errno error)
    {
        foreach (Paging paging in Enum.GetValues<Paging>())
        {
            using SimulatedTestMap map = Create(MapShape.For(type, keySize, 8, Entries));
            EntrySet expected = Fill(map, Entries);
            map.Map.InjectErrors(NativeCall.LookupBatch, error, onCall: 1, times: 2);
            map.Map.InjectErrors(NativeCall.LookupBatch, error, onCall: 5, times: 3);
            Reading reading = await Reading.ReadAsync(Agent.Client, ById(map.Id), paging, pageSize: 100);
            EntrySet.AssertEqual(expected, reading.Entries(map.Shape), $"{type} by {paging} with {error}");
            Assert.NotEqual(0UL, reading.Calls.Aggregate(0UL, (sum, call) => sum + call[^1].Cost.Retries));
        }
    }

    [Theory]
    [MemberData(nameof(LastingErrors))]
    public async Task An_error_that_lasts_fails_the_scan_and_is_named(BpfMapType type, NativeCall call, Errno error)
    {
        uint keySize = type switch
        {
            BpfMapType.Queue => 0,
            BpfMapType.LpmTrie => 8,
            _ => 4,
        };
        using SimulatedTestMap map = Create(MapShape.For(type, keySize, type is BpfMapType.Hash or BpfMapType.Array ? 8u : 4u, Entries));
        for (int number = 0; number < Entries; number++)
        {
            map.Put(keySize == 0 ? [] : EntryData.Key(map.Shape, number), number);
        }

        map.Map.InjectErrors(call, error, onCall: call == NativeCall.Open || type == BpfMapType.Queue ? 1 : 4, times: Always);
        List<MapBatch> received = [];
        BpfRemoteException failure = await AssertFails(StatusCode.Internal, ErrorReason.KernelError, async () =>
        {
            await foreach (MapBatch batch in Agent.Client.Scan(ById(map.Id), new() { BatchSize = 10, Pace = Pace.Full }))
            {
                received.Add(batch);
            }
        });
        Assert.Equal(error.Name(), failure.Metadata["errno"]);
        Assert.StartsWith("bpf_map_", failure.Metadata["operation"], StringComparison.Ordinal);
        Assert.All(received, batch => Assert.False(batch.IsComplete));
    }

    [Fact]
    public async Task A_scan_goes_on_where_an_error_failed_it()
    {
        using SimulatedTestMap map = Create(MapShape.For(BpfMapType.Hash, 4, 8, Entries));
        EntrySet expected = Fill(map, Entries);
        map.Map.InjectErrors(NativeCall.LookupBatch, Errno.EIO, onCall: 5);
        EntrySet read = new();
        BpfRemoteException failure = await AssertFails(StatusCode.Internal, ErrorReason.KernelError, () => ReadInto(read, map, null));
        await ReadInto(read, map, failure.ContinuationToken);
        EntrySet.AssertEqual(expected, read, "before and after the error");
    }

    [Fact]
    public async Task Buckets_that_are_always_too_large_are_refused_by_name()
    {
        using SimulatedTestMap map = Create(MapShape.For(BpfMapType.Hash, 4, 8, Entries));
        Fill(map, Entries);
        map.Map.InjectErrors(NativeCall.LookupBatch, Errno.ENOSPC, onCall: 2, times: Always);
        await AssertFails(
            StatusCode.FailedPrecondition, ErrorReason.EntryTooLarge, () => ScanAsync(ById(map.Id), new() { BatchSize = 10 }));
    }

    [Theory]
    [InlineData("5.10", BpfMapType.HashOfMaps, 4, ReadMethod.PerElement, Guarantee.BestEffort)]
    [InlineData("5.10", BpfMapType.ArrayOfMaps, 4, ReadMethod.PerElement, Guarantee.Indexed)]
    [InlineData("5.10", BpfMapType.PerCpuArray, 4, ReadMethod.PerElement, Guarantee.Indexed)]
    [InlineData("6.1", BpfMapType.ArrayOfMaps, 4, ReadMethod.Batch, Guarantee.Indexed)]
    [InlineData("6.18", BpfMapType.HashOfMaps, 4, ReadMethod.Batch, Guarantee.ExactlyOnce)]
    [InlineData("6.18", BpfMapType.LpmTrie, 8, ReadMethod.Batch, Guarantee.ExactlyOnce)]
    public async Task Each_kernel_is_read_in_the_way_it_has(
        string version, BpfMapType type, int keySize, ReadMethod method, Guarantee guarantee)
    {
        using SimulatedKernel kernel = new(new() { KernelVersion = Version.Parse(version) });
        await using InProcessAgent agent = await InProcessAgent.StartAsync(kernel.Source, RuntimeDirectory);
        MapShape shape = MapShape.For(type, (uint)keySize, 4, Entries);
        using ITestMap map = kernel.Create(shape);
        EntrySet expected = new();
        for (int number = 0; number < Entries; number += type == BpfMapType.ArrayOfMaps ? 37 : 1)
        {
            byte[] key = EntryData.Key(shape, number);
            expected.Add(key, map.Put(key, number));
        }

        foreach (Paging paging in Enum.GetValues<Paging>())
        {
            Reading reading = await Reading.ReadAsync(agent.Client, ById(map.Id), paging, pageSize: 50);
            EntrySet.AssertEqual(expected, reading.Entries(shape), $"{type} of {version} by {paging}");
            Layout layout = reading.Batches.First().Layout;
            Assert.Equal((method, guarantee), (layout.ReadMethod, layout.Guarantee));
        }
    }

    [Theory]
    [InlineData("5.5", BpfMapType.Hash, 4)]
    [InlineData("5.10", BpfMapType.LpmTrie, 8)]
    public async Task A_walk_that_would_lose_entries_is_not_offered(string version, BpfMapType type, int keySize)
    {
        using SimulatedKernel kernel = new(new() { KernelVersion = Version.Parse(version) });
        await using InProcessAgent agent = await InProcessAgent.StartAsync(kernel.Source, RuntimeDirectory);
        using ITestMap map = kernel.Create(MapShape.For(type, (uint)keySize, 8, 10));
        await AssertFails(StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, async () =>
            await agent.Client.Scan(ById(map.Id)).GetAsyncEnumerator().MoveNextAsync());
    }

    protected override ITestKernel OpenKernel() => new SimulatedKernel();

    private SimulatedTestMap Create(MapShape shape) => ((SimulatedKernel)Kernel).CreateSimulated(shape);

    private async Task ReadInto(EntrySet read, SimulatedTestMap map, string? token)
    {
        await foreach (MapBatch batch in Agent.Client.Scan(
            ById(map.Id), new() { ContinuationToken = token, BatchSize = 100, Pace = Pace.Full }))
        {
            foreach (MapEntry entry in batch)
            {
                read.Add(entry.Key, entry.Value);
            }
        }
    }
}
