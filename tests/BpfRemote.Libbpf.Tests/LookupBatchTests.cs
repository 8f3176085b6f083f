using System.Runtime.InteropServices;
using BpfRemote.DemoMaps;
using Xunit;

namespace BpfRemote.Libbpf.Tests;

public sealed class LookupBatchTests
{
    [Theory]
    [InlineData(BpfMapType.Hash, 1)]
    [InlineData(BpfMapType.Hash, 8)]
    [InlineData(BpfMapType.Hash, 5000)]
    [InlineData(BpfMapType.LruHash, 64)]
    [InlineData(BpfMapType.PerCpuHash, 64)]
    [InlineData(BpfMapType.LruPerCpuHash, 64)]
    [InlineData(BpfMapType.Array, 1)]
    [InlineData(BpfMapType.Array, 7)]
    [InlineData(BpfMapType.PerCpuArray, 64)]
    public void Every_entry_is_read_once_and_the_end_is_ENOENT(BpfMapType type, int page)
    {
        using WritableMap written = Kernel.Filled(type, 1000, 1000);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        int stride = (int)map.Layout.ValueStride;
        MapCursor cursor = new(map.Info.KeySize);
        Dictionary<int, byte[]> read = [];
        BatchResult result;
        do
        {
            byte[] keys = new byte[page * 4];
            byte[] values = new byte[page * stride];
            result = map.LookupBatch(cursor, keys, values, page);
            if (result.Error is Errno.ENOSPC)
            {
                page *= 2;
                continue;
            }

            Assert.True(result.Error is Errno.None or Errno.ENOENT, result.Error.Name());
            for (int i = 0; i < result.Count; i++)
            {
                read.Add(BitConverter.ToInt32(keys, i * 4), values[(i * stride)..((i + 1) * stride)]);
            }
        }
        while (result.Error is not Errno.ENOENT);

        // Least recently used maps may evict before they are full.
        Assert.Equal(Enumerable.Range(0, 1000).Where(i => written.Lookup(Kernel.Key(i)) is not null), read.Keys.Order());
        Assert.All(read, entry => Assert.Equal(Kernel.Value(written, entry.Key), entry.Value));
    }

    [Fact]
    public void A_trie_is_read_by_key_cursor()
    {
        _ = Kernel.Source;
        using WritableMap written = WritableMap.Create(new()
        {
            Type = BpfMapType.LpmTrie,
            Name = "fence_trie",
            KeySize = 8,
            ValueSize = 4,
            MaxEntries = 300,
            Flags = MapFlags.BPF_F_NO_PREALLOC,
        });
        for (byte i = 0; i < 200; i++)
        {
            written.Update([32, 0, 0, 0, 10, 0, 0, i], [i, 0, 0, 0]);
        }

        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        MapCursor cursor = new(map.Info.KeySize);
        byte[] keys = new byte[7 * 8];
        byte[] values = new byte[7 * 4];
        List<byte> read = [];
        BatchResult result;
        do
        {
            result = map.LookupBatch(cursor, keys, values, 7);
            for (int i = 0; i < result.Count; i++)
            {
                Assert.Equal(keys[(i * 8) + 7], values[i * 4]);
                read.Add(values[i * 4]);
            }
        }
        while (result.Error is Errno.None);

        Assert.Equal(Errno.ENOENT, result.Error);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (byte)i), read.Order());
    }

    [Fact]
    public void The_last_page_comes_with_ENOENT()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 16, 5);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        MapCursor cursor = new(4);

        Assert.Equal(new BatchResult(5, Errno.ENOENT), map.LookupBatch(cursor, new byte[64], new byte[128], 16));
        Assert.Equal(16u, cursor.Index);
    }

    [Fact]
    public void A_cursor_behind_the_last_bucket_is_the_end_and_stays()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 16, 5);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        MapCursor cursor = new(4);
        cursor.MoveTo(12345);

        Assert.Equal(new BatchResult(0, Errno.ENOENT), map.LookupBatch(cursor, new byte[64], new byte[128], 16));
        Assert.Equal(12345u, cursor.Index);
    }

    [Fact]
    public void A_bucket_that_does_not_fit_is_ENOSPC_and_the_cursor_names_it()
    {
        // A full map has buckets of several keys; which ones is up to the kernel's hash seed.
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 1024, 1024);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        MapCursor cursor = new(4);
        byte[] keys = new byte[1024 * 4];
        byte[] values = new byte[1024 * 8];
        BatchResult result;
        do
        {
            result = map.LookupBatch(cursor, keys, values, 1);
        }
        while (result.Error is Errno.None);

        Assert.Equal(new BatchResult(0, Errno.ENOSPC), result);
        uint bucket = cursor.Index;
        Assert.Equal(Errno.ENOSPC, map.LookupBatch(cursor, keys, values, 1).Error);
        Assert.Equal(bucket, cursor.Index);
        Assert.True(map.LookupBatch(cursor, keys, values, 512).Count > 1);
    }

    [Fact]
    public void An_empty_trie_leaves_the_cursor_at_the_start()
    {
        _ = Kernel.Source;
        using WritableMap written = WritableMap.Create(new()
        {
            Type = BpfMapType.LpmTrie,
            KeySize = 8,
            ValueSize = 4,
            MaxEntries = 4,
            Flags = MapFlags.BPF_F_NO_PREALLOC,
        });
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        MapCursor cursor = new(8);

        Assert.Equal(new BatchResult(0, Errno.ENOENT), map.LookupBatch(cursor, new byte[8], new byte[4], 1));
        Assert.False(cursor.HasPosition);
    }

    [Fact]
    public void A_type_without_the_batch_call_is_ENOTSUPP_and_gives_nothing()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.CpuMap, 1, 0);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        MapCursor cursor = new(4);

        Assert.Equal(new BatchResult(0, Errno.ENOTSUPP), map.LookupBatch(cursor, new byte[4], new byte[8], 1));
        Assert.False(cursor.HasPosition);
    }

    [Fact]
    public void The_kernel_writes_four_cursor_bytes_for_keys_of_one_byte()
    {
        _ = Kernel.Source;
        using WritableMap written =
            WritableMap.Create(new() { Type = BpfMapType.Hash, KeySize = 1, ValueSize = 1, MaxEntries = 256 });
        for (int i = 0; i < 256; i++)
        {
            written.Update([(byte)i], [(byte)~i]);
        }

        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        MapCursor cursor = new(1);
        byte[] keys = new byte[256];
        byte[] values = new byte[256];

        Assert.Equal(new BatchResult(256, Errno.ENOENT), map.LookupBatch(cursor, keys, values, 256));
        Assert.Equal(256u, cursor.Index);
        Assert.All(keys.Zip(values), entry => Assert.Equal((byte)~entry.First, entry.Second));
    }

    [Theory]
    [InlineData(BpfMapType.Hash)]
    [InlineData(BpfMapType.PerCpuHash)]
    [InlineData(BpfMapType.PerCpuArray)]
    public void Nothing_is_written_beyond_the_entries_asked_for(BpfMapType type)
    {
        const byte Untouched = 0xa5;
        using WritableMap written = Kernel.Filled(type, 64, 64);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        byte[] keys = [.. Enumerable.Repeat(Untouched, 4096)];
        byte[] values = [.. Enumerable.Repeat(Untouched, 4096)];

        BatchResult result = map.LookupBatch(new(4), keys, values, 10);

        Assert.InRange(result.Count, 1, 10);
        Assert.Equal(-1, keys.AsSpan(10 * 4).IndexOfAnyExcept(Untouched));
        Assert.Equal(-1, values.AsSpan(10 * (int)map.Layout.ValueStride).IndexOfAnyExcept(Untouched));
    }

    [Fact]
    public void Buffers_that_are_too_small_are_refused_before_the_kernel_sees_them()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.PerCpuHash, 64, 64);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        int stride = 8 * WritableMap.PossibleCpus;
        byte[] large = new byte[4096];
        MapCursor cursor = new(4);

        Assert.Throws<ArgumentException>("keys", () => map.LookupBatch(cursor, new byte[39], large, 10));
        Assert.Throws<ArgumentException>("values", () => map.LookupBatch(cursor, large, new byte[(10 * stride) - 1], 10));
        Assert.Throws<ArgumentException>("values", () => map.LookupBatch(cursor, new byte[1 << 20], large, 1 << 18));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => map.LookupBatch(cursor, large, large, 0));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => map.LookupBatch(cursor, large, large, int.MinValue));
        Assert.Throws<ArgumentException>("keys", () => map.LookupBatch(cursor, large, large, int.MaxValue));
        Assert.Throws<ArgumentException>("key", () => map.LookupElement(new byte[3], large));
        Assert.Throws<ArgumentException>("key", () => map.LookupElement([], large));
        Assert.Throws<ArgumentException>("value", () => map.LookupElement(new byte[4], new byte[stride - 1]));
        Assert.Throws<ArgumentException>("key", () => map.GetNextKey(new byte[5], large));
        Assert.Throws<ArgumentException>("nextKey", () => map.GetNextKey([], new byte[3]));
        Assert.False(cursor.HasPosition);
    }

    [Fact]
    public void A_cursor_of_another_map_is_refused_where_it_is_too_small()
    {
        _ = Kernel.Source;
        using WritableMap written = WritableMap.Create(new()
        {
            Type = BpfMapType.LpmTrie,
            KeySize = 20,
            ValueSize = 4,
            MaxEntries = 4,
            Flags = MapFlags.BPF_F_NO_PREALLOC,
        });
        using IBpfMap map = Kernel.Source.OpenById(written.Id);

        Assert.Throws<ArgumentException>("cursor", () => map.LookupBatch(new(4), new byte[20], new byte[4], 1));
    }

    [Fact]
    public void No_call_allocates()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 64, 64);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        byte[] keys = new byte[64 * 4];
        byte[] values = new byte[64 * 8];
        MapCursor cursor = new(4);
        Once();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Once();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Once()
        {
            cursor.MoveTo(0);
            map.LookupBatch(cursor, keys, values, 64);
            map.LookupElement(keys.AsSpan(0, 4), values);
            map.GetNextKey([], keys);
        }
    }

    [Fact]
    public void A_closed_map_is_not_read()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 4, 4);
        IBpfMap map = Kernel.Source.OpenById(written.Id);
        map.Dispose();

        Assert.Throws<ObjectDisposedException>(() => map.LookupElement(Kernel.Key(0), new byte[8]));
    }

    [Fact]
    public void Keys_are_walked_to_the_last_one()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Array, 3, 3);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        byte[] key = new byte[4];
        List<int> walked = [];
        for (Errno error = map.GetNextKey([], key); error is Errno.None; error = map.GetNextKey(key, key))
        {
            walked.Add(MemoryMarshal.Read<int>(key));
        }

        Assert.Equal([0, 1, 2], walked);
        Assert.Equal(Errno.ENOENT, map.GetNextKey(key, key));
    }
}
