using BpfRemote.Kernel.Tests.Harness;
using BpfRemote.Libbpf;
using static BpfRemote.Client.MapSelectors;

namespace BpfRemote.Kernel.Tests;

/// <summary>What every kernel must show through the agent: a client receives what was put in, however it pages.</summary>
public abstract class MapContractTests : AgentTests
{
    private const uint MiB = 1 << 20;

    protected static IReadOnlyList<uint> PageSizes { get; } = [1, 2, 7, 100, 4_096];

    private static readonly BpfMapType[] HashTypes =
        [BpfMapType.Hash, BpfMapType.LruHash, BpfMapType.PerCpuHash, BpfMapType.LruPerCpuHash];

    /// <summary>Every type that tests can put entries into: type, key size, value size, entries.</summary>
    public static IEnumerable<(BpfMapType Type, uint KeySize, uint ValueSize, int Entries)> Types =>
    [
        .. Sized(BpfMapType.Hash, 4, 8, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.LruHash, 4, 8, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.PerCpuHash, 4, 8, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.LruPerCpuHash, 4, 8, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.HashOfMaps, 4, 4, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.Array, 4, 8, 1, 7, 1_000),
        .. Sized(BpfMapType.PerCpuArray, 4, 8, 1, 7, 1_000),
        .. Sized(BpfMapType.ArrayOfMaps, 4, 4, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.LpmTrie, 8, 8, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.ProgArray, 4, 4, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.DevMap, 4, 4, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.DevMapHash, 4, 4, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.CpuMap, 4, 4, 0, 1),
        .. Sized(BpfMapType.SockMap, 4, 8, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.SockHash, 4, 8, 0, 1, 7, 1_000),
        .. Sized(BpfMapType.ReuseportSockArray, 4, 8, 0, 1, 3),
    ];

    /// <summary>Types with keys and values of any size, in those sizes.</summary>
    public static IEnumerable<(BpfMapType Type, uint KeySize, uint ValueSize, int Entries)> KeyAndValueSizes =>
    [
        .. from type in HashTypes
           from keySize in (uint[])[1, 3, 4, 8, 20, 64, 512]
           select (type, keySize, 8u, 60),
        .. from type in HashTypes
           from valueSize in (uint[])[1, 5, 64, 4_096]
           select (type, 8u, valueSize, 60),
        .. from keySize in (uint[])[5, 7, 8, 20, 64, 260]
           select (BpfMapType.LpmTrie, keySize, 8u, 60),
        .. from valueSize in (uint[])[1, 5, 64, 4_096]
           select (BpfMapType.LpmTrie, 8u, valueSize, 60),
        .. from type in (BpfMapType[])[BpfMapType.Array, BpfMapType.PerCpuArray]
           from valueSize in (uint[])[1, 5, 64, 4_096]
           select (type, 4u, valueSize, 60),
        .. from keySize in (uint[])[1, 3, 8, 20, 64, 512]
           select (BpfMapType.HashOfMaps, keySize, 4u, 60),
        .. from keySize in (uint[])[1, 3, 8, 20, 64, 512]
           select (BpfMapType.SockHash, keySize, 8u, 60),
    ];

    /// <summary>Types whose values may have 1 MiB.</summary>
    public static TheoryData<BpfMapType> TypesOfLargeValues => [BpfMapType.Hash, BpfMapType.LruHash, BpfMapType.Array, BpfMapType.LpmTrie];

    /// <summary>Types of any size: type, key size, value size.</summary>
    public static TheoryData<BpfMapType, uint, uint> LargeTypes => new()
    {
        { BpfMapType.Hash, 8, 8 },
        { BpfMapType.LruHash, 8, 8 },
        { BpfMapType.PerCpuHash, 8, 8 },
        { BpfMapType.LruPerCpuHash, 8, 8 },
        { BpfMapType.HashOfMaps, 4, 4 },
        { BpfMapType.Array, 4, 8 },
        { BpfMapType.PerCpuArray, 4, 8 },
        { BpfMapType.ArrayOfMaps, 4, 4 },
        { BpfMapType.LpmTrie, 8, 8 },
        { BpfMapType.DevMapHash, 4, 4 },
    };

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Every_page_size_and_every_way_of_paging_gives_what_was_put_in(
        BpfMapType type, uint keySize, uint valueSize, int entries)
    {
        using ITestMap map = Kernel.Create(MapShape.For(type, keySize, valueSize, entries));
        EntrySet expected = Fill(map, entries);
        AssertSeenByOthers(expected, map);
        BucketOracle? buckets = BucketsOf(map);
        foreach (uint pageSize in PageSizes)
        {
            await ReadEveryWay(map, expected, pageSize, buckets);
        }
    }

    [Theory]
    [MemberData(nameof(KeyAndValueSizes))]
    public async Task Keys_and_values_of_every_size_arrive_whole(BpfMapType type, uint keySize, uint valueSize, int entries)
    {
        MapShape shape = MapShape.For(type, keySize, valueSize, entries);
        using ITestMap map = Kernel.Create(shape);
        EntrySet expected = Fill(map, EntryData.KeyCount(shape, entries));
        AssertSeenByOthers(expected, map);
        await ReadEveryWay(map, expected, pageSize: 7, BucketsOf(map));
    }

    [Theory]
    [MemberData(nameof(TypesOfLargeValues))]
    public async Task Values_of_a_mebibyte_arrive_whole(BpfMapType type)
    {
        MapShape shape = MapShape.For(type, type == BpfMapType.LpmTrie ? 8u : 4u, MiB, 5);
        using ITestMap map = Kernel.Create(type == BpfMapType.LruHash ? shape with { MaxEntries = 64, Flags = 2 } : shape);
        EntrySet expected = Fill(map, 5);
        AssertSeenByOthers(expected, map);
        BucketOracle? buckets = BucketsOf(map);
        await ReadEveryWay(map, expected, pageSize: 1, buckets);
        await ReadEveryWay(map, expected, pageSize: 100, buckets);
    }

    [Theory]
    [MemberData(nameof(LargeTypes))]
    public async Task A_map_of_100_000_entries_arrives_whole(BpfMapType type, uint keySize, uint valueSize)
    {
        const int Entries = 100_000;
        using ITestMap map = Kernel.Create(MapShape.For(type, keySize, valueSize, Entries));
        EntrySet expected = Fill(map, Entries);
        AssertSeenByOthers(expected, map);
        await ReadEveryWay(map, expected, pageSize: 4_096, buckets: null);
        await Read(map, expected, Paging.OneStream, pageSize: 100, buckets: null);
        await Read(map, expected, Paging.OneStream, pageSize: 0, buckets: null);
    }

    /// <summary>Compares with what another reader of the same kernel finds, where there is one.</summary>
    protected virtual void AssertSeenByOthers(EntrySet expected, ITestMap map)
    {
    }

    protected async Task ReadEveryWay(ITestMap map, EntrySet expected, uint pageSize, BucketOracle? buckets)
    {
        foreach (Paging paging in Enum.GetValues<Paging>())
        {
            await Read(map, expected, paging, pageSize, buckets);
        }
    }

    private async Task Read(ITestMap map, EntrySet expected, Paging paging, uint pageSize, BucketOracle? buckets)
    {
        Reading reading = await Reading.ReadAsync(Agent.Client, ById(map.Id), paging, pageSize);
        EntrySet.AssertEqual(expected, reading.Entries(map.Shape), $"{map.Shape} by {paging} of {pageSize}");
        CutRules.Verify(reading, paging, pageSize, buckets);
    }

    private BucketOracle? BucketsOf(ITestMap map)
    {
        using IBpfMap opened = Kernel.Source.OpenById(map.Id);
        return opened.Layout.Method == ScanMethod.Buckets ? BucketOracle.Of(opened) : null;
    }

    private static IEnumerable<(BpfMapType Type, uint KeySize, uint ValueSize, int Entries)> Sized(
        BpfMapType type, uint keySize, uint valueSize, params int[] sizes) =>
        sizes.Select(entries => (type, keySize, valueSize, entries));
}

/// <summary>The contract on the kernel of this machine, where bpftool has its say.</summary>
public sealed class KernelMapContractTests : MapContractTests
{
    [Fact]
    public async Task A_hash_of_a_million_entries_arrives_whole()
    {
        const int Entries = 1_000_000;
        using ITestMap map = Kernel.Create(MapShape.For(BpfMapType.Hash, 8, 8, Entries));
        EntrySet expected = Fill(map, Entries);
        AssertSeenByOthers(expected, map);
        await ReadEveryWay(map, expected, pageSize: 4_096, buckets: null);
    }

    protected override ITestKernel OpenKernel() => RealKernel.OpenOrSkip();

    protected override void AssertSeenByOthers(EntrySet expected, ITestMap map) =>
        EntrySet.AssertEqual(expected, Bpftool.Dump(map.Id), "bpftool map dump");
}

/// <summary>The contract on the simulated kernel.</summary>
public sealed class SimulatedMapContractTests : MapContractTests
{
    /// <summary>Types that only a program can put entries into on a real kernel.</summary>
    public static IEnumerable<(BpfMapType Type, uint KeySize, uint ValueSize, uint MaxEntries)> TypesOfPrograms =>
    [
        (BpfMapType.CgroupStorage, 16, 24, 0),
        (BpfMapType.PerCpuCgroupStorage, 8, 20, 0),
        (BpfMapType.StackTrace, 4, 8 * 127, 100),
        (BpfMapType.StructOps, 4, 64, 1),
    ];

    [Theory]
    [MemberData(nameof(TypesOfPrograms))]
    public async Task What_programs_put_in_arrives_whole(BpfMapType type, uint keySize, uint valueSize, uint maxEntries)
    {
        using ITestMap map = Kernel.Create(new(type, keySize, valueSize, maxEntries));
        EntrySet expected = Fill(map, type == BpfMapType.StructOps ? 1 : 60);
        foreach (uint pageSize in PageSizes)
        {
            await ReadEveryWay(map, expected, pageSize, buckets: null);
        }
    }

    protected override ITestKernel OpenKernel() => new SimulatedKernel();
}
