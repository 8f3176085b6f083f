using BpfRemote.Client;
using BpfRemote.Kernel.Tests.Harness;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;
using static BpfRemote.Client.MapSelectors;

namespace BpfRemote.Kernel.Tests;

/// <summary>Types of which only a part can be read, or nothing.</summary>
public abstract class TypeContractTests : AgentTests
{
    /// <summary>Types whose values the kernel refuses: type, value size, what it answers.</summary>
    public static TheoryData<BpfMapType, uint, string> TypesOfKeysOnly => new()
    {
        { BpfMapType.PerfEventArray, 4, "ENOTSUPP" },
        { BpfMapType.CgroupArray, 4, "ENOTSUPP" },
        { BpfMapType.XskMap, 4, "EOPNOTSUPP" },
        { BpfMapType.SockMap, 4, "ENOSPC" },
        { BpfMapType.ReuseportSockArray, 4, "ENOSPC" },
    };

    /// <summary>Types that cannot be read: type, value size, max_entries, flags.</summary>
    public static TheoryData<BpfMapType, uint, uint, uint> TypesNotReadable => new()
    {
        { BpfMapType.RingBuf, 0, 4_096, 0 },
        { BpfMapType.UserRingBuf, 0, 4_096, 0 },
        { BpfMapType.BloomFilter, 8, 10, 0 },
        { BpfMapType.Arena, 0, 4, DemoMaps.MapFlags.BPF_F_MMAPABLE },
    };

    [Theory]
    [MemberData(nameof(TypesOfKeysOnly))]
    public async Task Where_the_kernel_refuses_values_every_index_comes_and_the_error(BpfMapType type, uint valueSize, string error)
    {
        using ITestMap map = Kernel.Create(new(type, 4, valueSize, 5));
        EntrySet expected = new();
        Enumerable.Range(0, 5).ToList().ForEach(index => expected.Add(BitConverter.GetBytes(index), []));
        foreach (Paging paging in Enum.GetValues<Paging>())
        {
            Reading reading = await Reading.ReadAsync(Agent.Client, ById(map.Id), paging, pageSize: 2);
            EntrySet.AssertEqual(expected, reading.Entries(map.Shape), $"{type} by {paging}");
            Assert.All(reading.Batches, batch => Assert.Equal((error, 0u), (batch.Layout.ValueError, batch.Layout.ValueStride)));
        }

        await AssertFails(
            StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, () => Agent.Client.LookupAsync(ById(map.Id), new byte[4]));
        Map described = await Agent.Client.GetMapAsync(ById(map.Id), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Contains(error, described.ReadSupport.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(TypesNotReadable))]
    public async Task What_cannot_be_read_is_listed_with_the_reason(BpfMapType type, uint valueSize, uint maxEntries, uint flags)
    {
        using ITestMap map = Kernel.Create(new(type, 0, valueSize, maxEntries) { Flags = flags });
        Map described = await Agent.Client.GetMapAsync(ById(map.Id), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(ReadMethod.None, described.ReadSupport.ReadMethod);
        Assert.StartsWith("MAP_NOT_READABLE", described.ReadSupport.Reason, StringComparison.Ordinal);
        Assert.Equal(Guarantee.Unspecified, described.ReadSupport.Guarantee);
        BpfRemoteException error = await AssertFails(
            StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, () => ScanAsync(ById(map.Id)));
        Assert.Equal(described.TypeName, error.Metadata["type"]);
        await AssertFails(
            StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, () => Agent.Client.LookupAsync(ById(map.Id), new byte[4]));
    }

    [Theory]
    [InlineData(BpfMapType.Queue, 0)]
    [InlineData(BpfMapType.Stack, 9)]
    public async Task Queue_and_stack_show_the_next_value_and_keep_it(BpfMapType type, int next)
    {
        using ITestMap map = Kernel.Create(new(type, 0, 12, 10));
        List<byte[]> values = [.. Enumerable.Range(0, 10).Select(number => map.Put([], number))];
        for (int again = 0; again < 2; again++)
        {
            MapBatch only = Assert.Single(await ScanAsync(ById(map.Id)));
            Assert.Equal((1, true), (only.Count, only.IsComplete));
            Assert.Equal(values[next], only.Value(0).ToArray());
            Assert.Equal((Guarantee.Sample, ReadMethod.Peek, 0u), (only.Layout.Guarantee, only.Layout.ReadMethod, only.Layout.KeySize));
        }

        await AssertFails(
            StatusCode.FailedPrecondition, ErrorReason.MapNotKeyed, () => Agent.Client.LookupAsync(ById(map.Id), new byte[4]));
    }

    [Theory]
    [InlineData(BpfMapType.ArrayOfMaps)]
    [InlineData(BpfMapType.ProgArray)]
    [InlineData(BpfMapType.SockMap)]
    [InlineData(BpfMapType.DevMap)]
    public async Task Holes_are_left_out(BpfMapType type)
    {
        using ITestMap map = Kernel.Create(new(type, 4, type == BpfMapType.SockMap ? 8u : 4u, 2_000));
        EntrySet expected = new();
        foreach (int index in (int[])[3, 4, 700, 1_998])
        {
            expected.Add(BitConverter.GetBytes(index), map.Put(BitConverter.GetBytes(index), index));
        }

        foreach (Paging paging in Enum.GetValues<Paging>())
        {
            Reading reading = await Reading.ReadAsync(Agent.Client, ById(map.Id), paging, pageSize: 2);
            EntrySet.AssertEqual(expected, reading.Entries(map.Shape), $"{type} by {paging}");
        }
    }
}

/// <summary>The contract on the kernel of this machine.</summary>
public sealed class KernelTypeContractTests : TypeContractTests
{
    protected override ITestKernel OpenKernel() => RealKernel.OpenOrSkip();
}

/// <summary>The contract on the simulated kernel.</summary>
public sealed class SimulatedTypeContractTests : TypeContractTests
{
    [Theory]
    [InlineData(BpfMapType.TaskStorage)]
    [InlineData(BpfMapType.InodeStorage)]
    [InlineData(BpfMapType.SkStorage)]
    [InlineData(BpfMapType.CgrpStorage)]
    [InlineData((BpfMapType)199)]
    public async Task Local_storage_and_types_of_later_kernels_are_not_readable(BpfMapType type)
    {
        using ITestMap map = Kernel.Create(new(type, 4, 8, 0));
        await AssertFails(StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, () => ScanAsync(ById(map.Id)));
    }

    protected override ITestKernel OpenKernel() => new SimulatedKernel();
}
