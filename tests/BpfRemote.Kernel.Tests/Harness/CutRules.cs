using BpfRemote.Client;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>The rules by which a scan is cut into calls and responses.</summary>
internal static class CutRules
{
    private const int MaxTokenLength = 1_024;
    private const int MaxResponseBytes = 3_670_016;

    /// <summary>Checks a reading of a quiet map.</summary>
    /// <param name="reading">The reading.</param>
    /// <param name="paging">How it was read.</param>
    /// <param name="pageSize">The page size it was read with.</param>
    /// <param name="buckets">The buckets of a hash type; null for others, which may be cut anywhere.</param>
    public static void Verify(Reading reading, Paging paging, uint pageSize, BucketOracle? buckets)
    {
        MapBatch[] batches = [.. reading.Batches];
        Assert.All(batches[..^1], batch => Assert.InRange(batch.ContinuationToken.Length, 1, MaxTokenLength));
        Assert.True(batches[^1].IsComplete);
        Assert.All(batches, batch => Assert.True(batch.Keys.Length + batch.Values.Length <= MaxResponseBytes));
        foreach (IReadOnlyList<MapBatch> call in reading.Calls)
        {
            Assert.NotEmpty(call);
            VerifyCost(call);
            if (paging == Paging.CallPerPage)
            {
                VerifySize(call, pageSize, buckets);
            }
            else
            {
                Assert.All(call, batch => VerifySize([batch], pageSize, buckets));
            }
        }

        if (buckets is not null)
        {
            VerifyBucketsAreWhole(batches, buckets);
        }
    }

    private static void VerifySize(IReadOnlyList<MapBatch> page, uint pageSize, BucketOracle? buckets)
    {
        int entries = page.Sum(batch => batch.Count);
        if (pageSize > 0 && entries > pageSize)
        {
            Assert.True(buckets is not null, $"{entries} entries where {pageSize} were asked for");
            Assert.Single(page.SelectMany(batch => Keys(batch, buckets!)).Distinct());
        }
    }

    private static void VerifyBucketsAreWhole(MapBatch[] batches, BucketOracle buckets)
    {
        foreach (MapBatch batch in batches)
        {
            foreach (IGrouping<int, int> bucket in Keys(batch, buckets).GroupBy(bucket => bucket))
            {
                Assert.Equal(buckets.Sizes[bucket.Key], bucket.Count());
            }
        }
    }

    private static void VerifyCost(IReadOnlyList<MapBatch> call)
    {
        ulong entries = 0;
        ulong bytes = 0;
        ulong nativeCalls = 0;
        foreach (MapBatch batch in call)
        {
            entries += (ulong)batch.Count;
            bytes += (ulong)(batch.Keys.Length + batch.Values.Length);
            Assert.Equal(entries, batch.Cost.Entries);
            Assert.Equal(bytes, batch.Cost.Bytes);
            Assert.True(batch.Cost.NativeCalls >= nativeCalls);
            nativeCalls = batch.Cost.NativeCalls;
        }
    }

    private static List<int> Keys(MapBatch batch, BucketOracle buckets)
    {
        List<int> found = [];
        foreach (MapEntry entry in batch)
        {
            found.Add(buckets.BucketOf(entry.Key));
        }

        return found;
    }
}
