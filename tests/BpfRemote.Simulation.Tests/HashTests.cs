using BpfRemote.Libbpf;
using Xunit;
using static BpfRemote.Simulation.Tests.Maps;

namespace BpfRemote.Simulation.Tests;

public sealed class HashTests
{
    private const uint ZeroSeed = SimulatedMapSpec.ZeroSeed;
    private readonly SimulatedMapSource _kernel = Kernel();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(4096)]
    public void EveryPageSizeReadsEveryEntryOnceWithItsValue(int count)
    {
        SimulatedMap map = Filled(1000);
        using IBpfMap open = _kernel.OpenById(map.Id);

        List<Page> pages = open.ReadAll(count);

        Dictionary<string, string> read = pages.SelectMany(p => p.Keys.Zip(p.Values)).ToDictionary(e => e.First, e => e.Second);
        Assert.Equal(1000, read.Count);
        Assert.All(Enumerable.Range(0, 1000), i =>
            Assert.Equal(Convert.ToHexString(BitConverter.GetBytes((ulong)i * 3)), read[Hex((uint)i)]));
    }

    [Fact]
    public void PagesHoldWholeBucketsAndTheCursorIsTheNextBucketToCopy()
    {
        SimulatedMap map = Filled(1000);
        using IBpfMap open = _kernel.OpenById(map.Id);
        List<string> all = KeysOf(open.ReadAll(4096));

        // Reading from each bucket on gives a suffix of the whole: no bucket is ever cut.
        for (uint bucket = 0; bucket < 1024; bucket++)
        {
            MapCursor cursor = new(keySize: 4);
            cursor.MoveTo(bucket);
            Page page = open.Read(cursor, 4096);
            Assert.Equal(all[^page.Keys.Count..], page.Keys);
            Assert.Equal(Errno.ENOENT, page.Error);
            Assert.Equal(Hex(1024), page.Cursor);
        }
    }

    [Fact]
    public void ShortPagesAreNotTheEnd()
    {
        using IBpfMap open = _kernel.OpenById(Filled(1000).Id);

        List<Page> pages = open.ReadAll(7);

        Assert.Contains(pages, page => page.Error == Errno.None && page.Keys.Count is > 0 and < 7);
        Assert.All(pages, page => Assert.True(page.Error != Errno.ENOSPC || page.Keys.Count == 0));
    }

    [Fact]
    public void DataComesWithTheEnd()
    {
        SimulatedMap map = Filled(1);
        using IBpfMap open = _kernel.OpenById(map.Id);

        Page page = open.Read(new MapCursor(4), 10);

        Assert.Equal((Errno.ENOENT, 1), (page.Error, page.Keys.Count));
    }

    [Fact]
    public void ACursorBeyondTheBucketsEndsWithoutDataAndStaysUntouched()
    {
        using IBpfMap open = _kernel.OpenById(Filled(1000).Id);
        foreach (uint bucket in new uint[] { 1024, 1025, uint.MaxValue })
        {
            MapCursor cursor = new(keySize: 4);
            cursor.MoveTo(bucket);

            Page page = open.Read(cursor, 10);

            Assert.Equal((Errno.ENOENT, 0, Hex(bucket)), (page.Error, page.Keys.Count, page.Cursor));
        }
    }

    [Fact]
    public void ABucketLargerThanThePageIsNamedByTheCursorWithEmptyOnesSkipped()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Hash, 4, 8, 1024, ZeroSeed);
        IGrouping<uint, uint> crowd = Enumerable.Range(0, 5000).Select(i => (uint)i)
            .GroupBy(BucketOfZeroSeededMap)
            .First(bucket => bucket.Key > 100 && bucket.Count() >= 3);
        foreach (uint key in crowd)
        {
            map.Put(key, key);
        }

        using IBpfMap open = _kernel.OpenById(map.Id);
        Page page = open.Read(new MapCursor(4), 2);
        Assert.Equal((Errno.ENOSPC, 0, Hex(crowd.Key)), (page.Error, page.Keys.Count, page.Cursor));

        MapCursor cursor = new(4);
        cursor.MoveTo(crowd.Key);
        Assert.Equal(crowd.Reverse().Select(Hex), open.Read(cursor, crowd.Count()).Keys);
    }

    [Fact]
    public void NewEntriesAndUpdatedOnesGoToTheHeadOfTheirBucket()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Hash, 4, 8, 1);
        SimulatedMap perCpu = _kernel.Create(BpfMapType.PerCpuHash, 4, 8, 4, ZeroSeed);
        map.Put(1, 1);
        Assert.Equal(Errno.E2BIG, map.Update(U32(2), new byte[8]));

        uint[] inOneBucket = [.. Enumerable.Range(0, 100).Select(i => (uint)i).Where(i => (BucketOfZeroSeededMap(i) & 3) == 0).Take(3)];
        SimulatedMap chain = _kernel.Create(BpfMapType.Hash, 4, 8, 4, ZeroSeed);
        foreach (uint key in inOneBucket)
        {
            chain.Put(key, 0);
            perCpu.Update(U32(key), new byte[32]);
        }

        chain.Put(inOneBucket[0], 1);
        perCpu.Update(U32(inOneBucket[0]), new byte[32]);

        using IBpfMap open = _kernel.OpenById(chain.Id);
        using IBpfMap openPerCpu = _kernel.OpenById(perCpu.Id);
        Assert.Equal(new[] { inOneBucket[0], inOneBucket[2], inOneBucket[1] }.Select(Hex), open.WalkKeys());
        Assert.Equal(inOneBucket.Reverse().Select(Hex), openPerCpu.WalkKeys());
    }

    [Fact]
    public void AWalkByKeyFollowsTheBatchOrderAndADeletedKeyRestartsIt()
    {
        SimulatedMap map = Filled(100);
        using IBpfMap open = _kernel.OpenById(map.Id);
        List<string> keys = open.WalkKeys();
        Assert.Equal(KeysOf(open.ReadAll(4096)), keys);

        byte[] middle = Convert.FromHexString(keys[50]);
        Assert.Equal(Errno.None, map.Delete(middle));
        byte[] next = new byte[4];
        Assert.Equal(Errno.None, open.GetNextKey(middle, next));
        Assert.Equal(keys[0], Convert.ToHexString(next));
    }

    [Fact]
    public void AFullMapRefusesNewKeysButNotUpdatesOrReuse()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Hash, 4, 8, 2);
        map.Put(1, 1);
        map.Put(2, 2);
        Assert.Equal(Errno.E2BIG, map.Update(U32(3), new byte[8]));
        map.Put(1, 10);
        Assert.Equal(Errno.None, map.Delete(U32(2)));
        Assert.Equal(Errno.ENOENT, map.Delete(U32(2)));
        map.Put(3, 3);

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal([Hex(1), Hex(3)], KeysOf(open.ReadAll(10)).Order());
        Assert.Equal((Errno.None, "0A00000000000000"), open.Find(U32(1)));
        Assert.Equal((Errno.ENOENT, ""), open.Find(U32(2)));
    }

    [Theory]
    [InlineData(BpfMapType.LruHash, 8)]
    [InlineData(BpfMapType.LruPerCpuHash, 32)]
    public void AFullLruMapDeletesItsLeastRecentlyWrittenEntryAndReadingDoesNotCount(BpfMapType type, int stride)
    {
        SimulatedMap map = _kernel.Create(type, 4, 8, 3);
        foreach (uint key in new uint[] { 1, 2, 3, 1 })
        {
            map.Update(U32(key), new byte[stride]);
        }

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal(Errno.None, open.Find(U32(2)).Error);
        map.Update(U32(4), new byte[stride]);

        Assert.Equal([Hex(1), Hex(3), Hex(4)], KeysOf(open.ReadAll(10)).Order());
    }

    [Theory]
    [InlineData(1u, 200)]
    [InlineData(3u, 300)]
    [InlineData(20u, 300)]
    [InlineData(512u, 300)]
    public void KeysOfAnySizeAreReadBack(uint keySize, int entries)
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Hash, keySize, 5, 512);
        List<string> put = [];
        for (int i = 0; i < entries; i++)
        {
            byte[] key = new byte[keySize];
            key[0] = (byte)i;
            key[^1] += (byte)(i / 256);
            Assert.Equal(Errno.None, map.Update(key, new byte[5]));
            put.Add(Convert.ToHexString(key));
        }

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal(put.Distinct().Order(), KeysOf(open.ReadAll(16)).Order());
    }

    [Fact]
    public void StableKeysAreReadExactlyOnceWhileOthersComeAndGoBetweenCalls()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Hash, 4, 8, 4096);
        for (uint key = 0; key < 1000; key++)
        {
            map.Put(key, key);
        }

        Churn churn = new(seed: 7, Churn.ComingAndGoing(map, [.. Enumerable.Range(5000, 1000).Select(i => U32((uint)i))], 100));
        map.BetweenCalls = call => churn.Step();
        using IBpfMap open = _kernel.OpenById(map.Id);

        for (int scan = 0; scan < 5; scan++)
        {
            List<string> keys = KeysOf(open.ReadAll(16));
            Assert.Equal(keys.Count, keys.Distinct().Count());
            Assert.Equal(1000, keys.Count(key => BitConverter.ToUInt32(Convert.FromHexString(key)) < 1000));
        }
    }

    [Fact]
    public void ThreeByteKeysHashAsTheKernelHashesThem()
    {
        // Read from a kernel: the walk of a hash of 8 entries, 3-byte keys i,0,i for i = 0…7, made with BPF_F_ZERO_SEED.
        SimulatedMap map = _kernel.Create(BpfMapType.Hash, 3, 4, 8, ZeroSeed);
        for (byte i = 0; i < 8; i++)
        {
            map.Update([i, 0, i], new byte[4]);
        }

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal("070007 050005 030003 010001 060006 040004 020002 000000".Split(' '), open.WalkKeys());
    }

    [Fact]
    public void TwentyByteKeysHashAsTheKernelHashesThem()
    {
        // As above, 20-byte keys of 20 times the byte i.
        SimulatedMap map = _kernel.Create(BpfMapType.Hash, 20, 4, 8, ZeroSeed);
        for (byte i = 0; i < 8; i++)
        {
            map.Update([.. Enumerable.Repeat(i, 20)], new byte[4]);
        }

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal("07 03 00 06 05 01 04 02".Split(' '), open.WalkKeys().Select(key => key[..2]));
    }

    private SimulatedMap Filled(uint entries)
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Hash, 4, 8, 1000);
        for (uint key = 0; key < entries; key++)
        {
            map.Put(key, key * 3ul);
        }

        return map;
    }

    /// <summary>Asks a zero-seeded map of 1024 buckets, by its only entry and the cursor after a page that is too small for it.</summary>
    private uint BucketOfZeroSeededMap(uint key)
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Hash, 4, 8, 1024, ZeroSeed);
        map.Put(key, 0);
        map.InjectErrors(NativeCall.LookupBatch, Errno.ENOSPC);
        using IBpfMap open = _kernel.OpenById(map.Id);
        MapCursor cursor = new(4);
        open.LookupBatch(cursor, new byte[4], new byte[8], 1);
        _kernel.RemoveMap(map);
        return cursor.Index;
    }
}
