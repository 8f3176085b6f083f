using BpfRemote.Client;
using BpfRemote.Kernel.Tests.Harness;
using BpfRemote.Libbpf;
using BpfRemote.Simulation;
using BpfRemote.V1;
using static BpfRemote.Client.MapSelectors;

namespace BpfRemote.Kernel.Tests;

/// <summary>A writer that works against the scan can make it neither endless nor look complete when it is not.</summary>
public abstract class AdversaryContractTests : AgentTests
{
    protected const int Stable = 5;

    /// <summary>More pages than any scan of these maps may take.</summary>
    private const int TooManyPages = 20_000;

    /// <summary>Types whose cursor is a key, which can be deleted.</summary>
    public static TheoryData<BpfMapType, uint, uint> TypesWithKeyCursors => new()
    {
        { BpfMapType.LpmTrie, 8, 4 },
        { BpfMapType.DevMapHash, 4, 4 },
    };

    [Theory]
    [MemberData(nameof(TypesWithKeyCursors))]
    public async Task Deleting_the_cursor_key_after_every_page_of_a_call_of_its_own_ends_the_scan(BpfMapType type, uint keySize, uint valueSize)
    {
        using ITestMap map = CreateContested(type, keySize, valueSize);
        string? token = null;
        HashSet<int> seen = [];
        int fresh = 3 * Stable;
        for (int page = 0; ; page++)
        {
            Assert.True(page < TooManyPages, "the scan does not end");
            List<MapBatch> call;
            try
            {
                call = await ScanAsync(token is null ? ById(map.Id) : null, new() { ContinuationToken = token, Limit = 1, Pace = Pace.Full });
            }
            catch (BpfRemoteException error)
            {
                AssertUnstable(error);
                return;
            }

            Note(call, map.Shape, seen, type == BpfMapType.LpmTrie);
            token = call[^1].ContinuationToken;
            if (token.Length == 0)
            {
                AssertAllStable(seen);
                return;
            }

            foreach (byte[] cursor in call.SelectMany(batch => batch.Keys.ToArray().Chunk((int)keySize)))
            {
                if (EntryData.NumberOf(map.Shape, cursor) >= Stable)
                {
                    map.Delete(cursor);
                    fresh += 1 + (fresh % 16 == 15 ? 1 : 0); // multiples of 16 are covering prefixes
                    map.Put(EntryData.Key(map.Shape, fresh), fresh);
                }
            }
        }
    }

    [Fact]
    public async Task Keys_added_ahead_of_a_trie_scan_for_ever_end_it_as_unstable()
    {
        const int PageSize = 500;
        using ITestMap map = Kernel.Create(MapShape.For(BpfMapType.LpmTrie, 8, 4, 4 * PageSize));
        int added = 1;
        string? token = null;
        for (int page = 0; ; page++)
        {
            for (int i = 0; i < PageSize; i++, added++)
            {
                map.Put(FullPrefix(added), 1);
            }

            try
            {
                MapBatch batch = (await ScanAsync(
                    token is null ? ById(map.Id) : null, new() { ContinuationToken = token, Limit = PageSize, Pace = Pace.Full }))[^1];
                token = batch.ContinuationToken;
                Assert.NotEmpty(token);
                foreach (byte[] key in batch.Keys.ToArray().Chunk(8))
                {
                    map.Delete(key);
                }
            }
            catch (BpfRemoteException error)
            {
                AssertUnstable(error);
                return;
            }

            Assert.True(page < 1_000, "the scan does not end");
        }

        static byte[] FullPrefix(int number) => [32, 0, 0, 0, .. BitConverter.GetBytes(number).Reverse()];
    }

    /// <summary>Stable keys, and as many contested ones in between.</summary>
    protected ITestMap CreateContested(BpfMapType type, uint keySize, uint valueSize)
    {
        ITestMap map = Kernel.Create(MapShape.For(type, keySize, valueSize, 4 * Stable));
        Fill(map, 2 * Stable);
        return map;
    }

    /// <summary>Expects the one error that a scan may end in here.</summary>
    protected static void AssertUnstable(BpfRemoteException error)
    {
        Assert.Equal((Grpc.Core.StatusCode.Aborted, ErrorReason.ScanUnstable), (error.StatusCode, error.Reason));
        Assert.NotEmpty(error.Metadata["restarts"]);
    }

    /// <summary>Expects that a scan that says it is complete is.</summary>
    protected static void AssertAllStable(HashSet<int> seen) => Assert.All(Enumerable.Range(0, Stable), number => Assert.Contains(number, seen));

    /// <summary>Notes which keys came, and checks that none came twice where that is promised.</summary>
    protected static void Note(IEnumerable<MapBatch> batches, MapShape shape, HashSet<int> seen, bool exactlyOnce)
    {
        foreach (MapBatch batch in batches)
        {
            foreach (MapEntry entry in batch)
            {
                int number = EntryData.NumberOf(shape, entry.Key);
                Assert.True(seen.Add(number) || !exactlyOnce, $"key {number} came twice");
            }
        }
    }
}

/// <summary>The adversary on the kernel of this machine.</summary>
public sealed class KernelAdversaryTests : AdversaryContractTests
{
    protected override ITestKernel OpenKernel() => RealKernel.OpenOrSkip();
}

/// <summary>The adversary in the simulated kernel, where it can strike before every native call.</summary>
public sealed class SimulatedAdversaryTests : AdversaryContractTests
{
    [Theory]
    [MemberData(nameof(TypesWithKeyCursors))]
    public async Task Replacing_every_contested_key_before_every_native_call_ends_the_scan(BpfMapType type, uint keySize, uint valueSize)
    {
        using SimulatedTestMap map = (SimulatedTestMap)CreateContested(type, keySize, valueSize);
        int generation = 0;
        map.Map.BetweenCalls = call =>
        {
            if (call is NativeCall.LookupBatch or NativeCall.GetNextKey)
            {
                // Two sets of keys take turns.
                int old = Stable + (generation++ % 2 * Stable);
                int young = Stable + (generation % 2 * Stable);
                for (int i = 0; i < Stable; i++)
                {
                    map.Delete(EntryData.Key(map.Shape, old + i));
                    map.Put(EntryData.Key(map.Shape, young + i), i);
                }
            }
        };

        HashSet<int> seen = [];
        try
        {
            Note(await ScanAsync(ById(map.Id), new() { BatchSize = 3, Pace = Pace.Full }), map.Shape, seen, type == BpfMapType.LpmTrie);
        }
        catch (BpfRemoteException error)
        {
            AssertUnstable(error);
            return;
        }

        AssertAllStable(seen);
    }

    protected override ITestKernel OpenKernel() => new SimulatedKernel();
}
