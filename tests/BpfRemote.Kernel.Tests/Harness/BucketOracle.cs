using BpfRemote.Libbpf;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>Which hash bucket each key of a quiet map is in, as the kernel's batch call tells: the smallest count that does not
/// give ENOSPC reads exactly one bucket.</summary>
public sealed class BucketOracle
{
    private readonly Dictionary<string, int> _buckets = [];
    private readonly List<int> _sizes = [];

    private BucketOracle()
    {
    }

    /// <summary>Entries of each bucket that has any, in the order in which they are read.</summary>
    public IReadOnlyList<int> Sizes => _sizes;

    /// <summary>The bucket of a key: an index into <see cref="Sizes"/>.</summary>
    public int BucketOf(ReadOnlySpan<byte> key) => _buckets[Convert.ToHexString(key)];

    /// <summary>Asks for the buckets of a hash type.</summary>
    public static BucketOracle Of(IBpfMap map)
    {
        BucketOracle oracle = new();
        int keySize = (int)map.Layout.KeySize;
        MapCursor cursor = new(map.Layout.KeySize);
        cursor.MoveTo(0);
        BatchResult page;
        do
        {
            uint bucket = cursor.Index;
            int count = 0;
            byte[] keys;
            do
            {
                count++;
                keys = new byte[count * keySize];
                cursor.MoveTo(bucket);
                page = map.LookupBatch(cursor, keys, new byte[count * map.Layout.ValueStride], count);
            }
            while (page.Error == Errno.ENOSPC);

            foreach (byte[] key in keys.AsSpan(0, page.Count * keySize).ToArray().Chunk(keySize))
            {
                oracle._buckets.Add(Convert.ToHexString(key), oracle._sizes.Count);
            }

            if (page.Count > 0)
            {
                oracle._sizes.Add(page.Count);
            }
        }
        while (page.Error == Errno.None);

        Assert.Equal(Errno.ENOENT, page.Error);
        return oracle;
    }
}
