using BpfRemote.Client;
using BpfRemote.Kernel.Tests.Harness;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using static BpfRemote.Client.MapSelectors;

namespace BpfRemote.Kernel.Tests;

/// <summary>Exactly once on the real kernel, whatever a writer does meanwhile.</summary>
[Collection(nameof(Alone))]
public sealed class ChurnTests : AgentTests
{
    private const int Stable = 20_000;
    private const int Churning = 10_000;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(BpfMapType.Hash, 4u)]
    [InlineData(BpfMapType.LruHash, 4u)]
    [InlineData(BpfMapType.PerCpuHash, 4u)]
    [InlineData(BpfMapType.LruPerCpuHash, 4u)]
    [InlineData(BpfMapType.LpmTrie, 8u)]
    public async Task No_stable_key_is_missed_and_none_comes_twice(BpfMapType type, uint keySize)
    {
        // An LRU map evicts before it is full, and that would be a deletion: it gets plenty of room.
        bool isLru = type is BpfMapType.LruHash or BpfMapType.LruPerCpuHash;
        MapShape shape = MapShape.For(type, keySize, 8, isLru ? 4 * (Stable + Churning) : Stable + Churning);
        using RealMap map = ((RealKernel)Kernel).CreateReal(shape);
        Fill(map, Stable + Churning);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        over.CancelAfter(Duration);
        Thread writer = new(() => Churn(map, over.Token));
        writer.Start();
        int[] scans;
        try
        {
            scans = await Task.WhenAll(
                ScanUntilOver(map, Paging.OneStream, over.Token), ScanUntilOver(map, Paging.CallPerResponse, over.Token));
        }
        finally
        {
            await over.CancelAsync();
            writer.Join();
        }

        Assert.All(scans, count => Assert.True(count > 0, "not one scan finished"));
        TestContext.Current.SendDiagnosticMessage($"{type}: {scans[0]} scans in one stream, {scans[1]} in a call for each response");
    }

    protected override ITestKernel OpenKernel() => RealKernel.OpenOrSkip();

    /// <summary>Deletes and inserts churning keys, one after the other, as fast as it goes.</summary>
    private static void Churn(RealMap map, CancellationToken over)
    {
        byte[][] keys = [.. Enumerable.Range(Stable, Churning).Select(number => EntryData.Key(map.Shape, number))];
        byte[] value = new byte[map.Map.ValueStride];
        for (int i = 0; !over.IsCancellationRequested; i = (i + 1) % Churning)
        {
            map.Delete(keys[i]);
            map.Map.Update(keys[(i + (Churning / 2)) % Churning], value);
        }
    }

    private async Task<int> ScanUntilOver(RealMap map, Paging paging, CancellationToken over)
    {
        int scans = 0;
        while (!over.IsCancellationRequested)
        {
            int[] seen = new int[Stable + Churning];
            await Reading.ReadAsync(Agent.Client, ById(map.Id), paging, 1_000, Include.Keys, batch => Count(batch, map.Shape, seen));
            int missed = seen.AsSpan(0, Stable).Count(0);
            int repeated = seen.Count(times => times > 1);
            Assert.True(missed == 0 && repeated == 0, $"scan {scans} by {paging}: {missed} stable keys missed, {repeated} keys repeated");
            scans++;
        }

        return scans;
    }

    private static void Count(MapBatch batch, MapShape shape, int[] seen)
    {
        foreach (MapEntry entry in batch)
        {
            seen[EntryData.NumberOf(shape, entry.Key)]++;
        }
    }
}

/// <summary>Tests that need the machine to themselves: they measure time, or load it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
