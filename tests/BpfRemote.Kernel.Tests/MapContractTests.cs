using BpfRemote.Kernel.Tests.Harness;
using BpfRemote.Libbpf;
using static BpfRemote.Client.MapSelectors;

namespace BpfRemote.Kernel.Tests;

/// <summary>What every kernel must show through the agent: a client receives what was put in, however it pages.</summary>
public abstract class MapContractTests : IAsyncLifetime
{
    private const uint MiB = 1 << 20;

    private static readonly uint[] PageSizes = [1, 2, 7, 100, 4_096];

    private static readonly BpfMapType[] HashTypes =
        [BpfMapType.Hash, BpfMapType.LruHash, BpfMapType.PerCpuHash, BpfMapType.LruPerCpuHash];

    private readonly TemporaryDirectory _directory = new();

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
           select (type, keySize, 8u, 150),
        .. from type in HashTypes
           from valueSize in (uint[])[1, 5, 64, 4_096]
           select (type, 8u, valueSize, 150),
        .. from keySize in (uint[])[5, 7, 8, 20, 64, 260]
           select (BpfMapType.LpmTrie, keySize, 8u, 150),
        .. from valueSize in (uint[])[1, 5, 64, 4_096]
           select (BpfMapType.LpmTrie, 8u, valueSize, 150),
        .. from type in (BpfMapType[])[BpfMapType.Array, BpfMapType.PerCpuArray]
           from valueSize in (uint[])[1, 5, 64, 4_096]
           select (type, 4u, valueSize, 150),
        .. from keySize in (uint[])[1, 3, 8, 20, 64, 512]
           select (BpfMapType.HashOfMaps, keySize, 4u, 150),
        .. from keySize in (uint[])[1, 3, 8, 20, 64, 512]
           select (BpfMapType.SockHash, keySize, 8u, 150),
    ];

    /// <summary>Types whose values may have 1 MiB.</summary>
    public static TheoryData<BpfMapType> TypesOfLargeValues => [BpfMapType.Hash, BpfMapType.LruHash, BpfMapType.Array, BpfMapType.LpmTrie];

    protected InProcessAgent Agent { get; private set; } = null!;

    protected ITestKernel Kernel { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Kernel = OpenKernel();
        Agent = await InProcessAgent.StartAsync(Kernel.Source, _directory);
    }

    public async ValueTask DisposeAsync()
    {
        if (Agent is not null)
        {
            await Agent.DisposeAsync();
            Kernel.Dispose();
        }

        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Every_page_size_and_every_way_of_paging_gives_what_was_put_in(
        BpfMapType type, uint keySize, uint valueSize, int entries)
    {
        using ITestMap map = Kernel.Create(MapShape.For(type, keySize, valueSize, entries));
        EntrySet expected = Fill(map, entries);
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
        await ReadEveryWay(map, expected, pageSize: 7, BucketsOf(map));
    }

    [Theory]
    [MemberData(nameof(TypesOfLargeValues))]
    public async Task Values_of_a_mebibyte_arrive_whole(BpfMapType type)
    {
        MapShape shape = MapShape.For(type, type == BpfMapType.LpmTrie ? 8u : 4u, MiB, 5);
        using ITestMap map = Kernel.Create(type == BpfMapType.LruHash ? shape with { MaxEntries = 64, Flags = 2 } : shape);
        EntrySet expected = Fill(map, 5);
        BucketOracle? buckets = BucketsOf(map);
        await ReadEveryWay(map, expected, pageSize: 1, buckets);
        await ReadEveryWay(map, expected, pageSize: 100, buckets);
    }

    protected abstract ITestKernel OpenKernel();

    /// <summary>Puts entries in that then are all of the map's.</summary>
    protected static EntrySet Fill(ITestMap map, int entries)
    {
        EntrySet expected = new();
        for (int number = 0; number < entries; number++)
        {
            byte[] key = EntryData.Key(map.Shape, number);
            expected.Add(key, map.Put(key, number));
        }

        return expected;
    }

    protected BucketOracle? BucketsOf(ITestMap map) => Kernel.Source.OpenById(map.Id) switch
    {
        { Layout.Method: ScanMethod.Buckets } => BucketOracle.Of(Kernel.Source, map.Id),
        _ => null,
    };

    private async Task ReadEveryWay(ITestMap map, EntrySet expected, uint pageSize, BucketOracle? buckets)
    {
        foreach (Paging paging in Enum.GetValues<Paging>())
        {
            Reading reading = await Reading.ReadAsync(Agent.Client, ById(map.Id), paging, pageSize);
            EntrySet.AssertEqual(expected, reading.Entries(map.Shape), $"{map.Shape} by {paging} of {pageSize}");
            CutRules.Verify(reading, paging, pageSize, buckets);
        }
    }

    private static IEnumerable<(BpfMapType Type, uint KeySize, uint ValueSize, int Entries)> Sized(
        BpfMapType type, uint keySize, uint valueSize, params int[] sizes) =>
        sizes.Select(entries => (type, keySize, valueSize, entries));
}

/// <summary>The contract on the kernel of this machine.</summary>
public sealed class KernelMapContractTests : MapContractTests
{
    protected override ITestKernel OpenKernel() => RealKernel.OpenOrSkip();
}

/// <summary>The contract on the simulated kernel.</summary>
public sealed class SimulatedMapContractTests : MapContractTests
{
    protected override ITestKernel OpenKernel() => new SimulatedKernel();
}
