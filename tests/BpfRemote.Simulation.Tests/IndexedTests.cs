using BpfRemote.Libbpf;
using Xunit;
using static BpfRemote.Simulation.Tests.Maps;

namespace BpfRemote.Simulation.Tests;

public sealed class IndexedTests
{
    private readonly SimulatedMapSource _kernel = Kernel();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(64)]
    public void AnArrayIsReadByIndexWithItsExactValueSize(int count)
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Array, 4, 5, 10);
        map.Put(3, 0x0102030405);
        using IBpfMap open = _kernel.OpenById(map.Id);

        List<Page> pages = open.ReadAll(count);

        Assert.Equal(Enumerable.Range(0, 10).Select(i => Hex((uint)i)), KeysOf(pages));
        Assert.Equal("0504030201", pages.SelectMany(page => page.Values).ElementAt(3));
        Assert.All(pages.SkipLast(1), page => Assert.Equal(page.Keys[^1], page.Cursor));
        Assert.Equal(5u, open.Layout.ValueStride);
    }

    [Fact]
    public void ACursorBeyondTheEndSilentlyRestartsAtZero()
    {
        using IBpfMap open = _kernel.OpenById(_kernel.Create(BpfMapType.Array, 4, 8, 5).Id);
        foreach (uint index in new uint[] { 5, 9, uint.MaxValue })
        {
            MapCursor cursor = new(4);
            cursor.MoveTo(index);

            Page page = open.Read(cursor, 2);

            Assert.Equal((Errno.None, Hex(1)), (page.Error, page.Cursor));
            Assert.Equal([Hex(0), Hex(1)], page.Keys);
        }
    }

    [Fact]
    public void ACursorAtTheLastIndexEndsAndStaysUntouched()
    {
        using IBpfMap open = _kernel.OpenById(_kernel.Create(BpfMapType.Array, 4, 8, 5).Id);
        MapCursor cursor = new(4);
        cursor.MoveTo(4);

        Page page = open.Read(cursor, 2);

        Assert.Equal((Errno.ENOENT, 0, Hex(4)), (page.Error, page.Keys.Count, page.Cursor));
    }

    [Fact]
    public void EntriesOfAnArrayCannotBeDeletedOrAdded()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Array, 4, 8, 5);
        using IBpfMap open = _kernel.OpenById(map.Id);

        Assert.Equal(Errno.EINVAL, map.Delete(U32(0)));
        Assert.Equal(Errno.E2BIG, map.Update(U32(5), new byte[8]));
        Assert.Equal(Errno.ENOENT, open.Find(U32(5)).Error);
    }

    [Fact]
    public void ABatchPassesOverTheHolesOfAnArrayOfMapsAndItsCursorMayBeAHole()
    {
        // The pages are those of a 6.18 kernel for the same map.
        using IBpfMap open = _kernel.OpenById(ArrayOfMaps(_kernel).Id);
        AssertPage(null, Errno.None, [1, 3], cursorAfter: 3);
        AssertPage(0, Errno.None, [1, 3], cursorAfter: 3);
        AssertPage(1, Errno.ENOENT, [3], cursorAfter: 4);
        AssertPage(2, Errno.ENOENT, [3], cursorAfter: 4);
        AssertPage(3, Errno.ENOENT, [], cursorAfter: 3);
        AssertPage(4, Errno.ENOENT, [], cursorAfter: 4);
        AssertPage(9, Errno.None, [1, 3], cursorAfter: 3);

        void AssertPage(uint? from, Errno error, uint[] indexes, uint cursorAfter)
        {
            MapCursor cursor = new(4);
            if (from is { } index)
            {
                cursor.MoveTo(index);
            }

            Page page = open.Read(cursor, 2);
            Assert.Equal((error, Hex(cursorAfter)), (page.Error, page.Cursor));
            Assert.Equal(indexes.Select(Hex), page.Keys);
        }
    }

    [Fact]
    public void AnOlderKernelStopsWithEintrAtAHole()
    {
        SimulatedMapSource older = Kernel(new SimulatedNode { KernelVersion = new Version(6, 1) });
        using IBpfMap open = older.OpenById(ArrayOfMaps(older).Id);
        MapCursor cursor = new(4);

        Page atHole = open.Read(cursor, 10);
        Assert.Equal((Errno.EINTR, 0, null), (atHole.Error, atHole.Keys.Count, atHole.Cursor));

        cursor.MoveTo(0);
        Page partial = open.Read(cursor, 10);
        Assert.Equal((Errno.EINTR, Hex(1)), (partial.Error, partial.Cursor));
        Assert.Equal([Hex(1)], partial.Keys);
    }

    [Fact]
    public void AKernelBefore519HasNoBatchForMapsOfMaps()
    {
        SimulatedMapSource older = Kernel(new SimulatedNode { KernelVersion = new Version(5, 15) });
        using IBpfMap open = older.OpenById(ArrayOfMaps(older).Id);

        Assert.Equal(ScanMethod.ElementByIndex, open.Layout.Method);
        Page page = open.Read(new MapCursor(4), 2);
        Assert.Equal((Errno.ENOTSUPP, 0, null), (page.Error, page.Keys.Count, page.Cursor));
        Assert.Equal((Errno.None, Hex(1)), open.Find(U32(1)));
    }

    [Theory]
    [InlineData(BpfMapType.ProgArray, 4u)]
    [InlineData(BpfMapType.DevMap, 8u)]
    [InlineData(BpfMapType.CpuMap, 4u)]
    [InlineData(BpfMapType.SockMap, 8u)]
    [InlineData(BpfMapType.ReuseportSockArray, 8u)]
    public void IndexedTypesWithoutABatchGiveEveryIndexAsKeyAndEnoentForHoles(BpfMapType type, uint valueSize)
    {
        SimulatedMap map = _kernel.Create(type, 4, valueSize, 3);
        map.Put(1, 42);
        using IBpfMap open = _kernel.OpenById(map.Id);

        Assert.Equal(Errno.ENOTSUPP, open.Read(new MapCursor(4), 2).Error);
        Assert.Equal([Hex(0), Hex(1), Hex(2)], open.WalkKeys());
        Assert.Equal(Errno.ENOENT, open.Find(U32(0)).Error);
        Assert.StartsWith("2A000000", open.Find(U32(1)).Value, StringComparison.Ordinal);

        Assert.Equal(Errno.None, map.Delete(U32(1)));
        Assert.Equal(Errno.ENOENT, open.Find(U32(1)).Error);
        Assert.Equal(Errno.ENOENT, map.Delete(U32(1)));
        Assert.Equal(Errno.E2BIG, map.Delete(U32(3)));
    }

    [Theory]
    [InlineData(BpfMapType.SockMap, Errno.ENOSPC)]
    [InlineData(BpfMapType.ReuseportSockArray, Errno.ENOSPC)]
    [InlineData(BpfMapType.SockHash, Errno.ENOSPC)]
    [InlineData(BpfMapType.PerfEventArray, Errno.ENOTSUPP)]
    [InlineData(BpfMapType.CgroupArray, Errno.ENOTSUPP)]
    [InlineData(BpfMapType.XskMap, Errno.EOPNOTSUPP)]
    public void SomeTypesRefuseEveryValueWhetherItIsThereOrNot(BpfMapType type, Errno error)
    {
        SimulatedMap map = _kernel.Create(type, 4, 4, 4);
        map.Put(1, 7);
        using IBpfMap open = _kernel.OpenById(map.Id);

        Assert.Equal(error, open.Find(U32(1)).Error);
        Assert.Equal(error, open.Find(U32(2)).Error);
        Assert.Contains(Hex(1), open.WalkKeys());
    }

    [Fact]
    public void StackIdsAreWalkedWithoutEmptyOnesInAPowerOfTwo()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.StackTrace, 4, 16, 5);
        foreach (uint id in new uint[] { 7, 0, 2 })
        {
            Assert.Equal(Errno.None, map.Update(U32(id), new byte[16]));
        }

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal([Hex(0), Hex(2), Hex(7)], open.WalkKeys());

        byte[] next = new byte[4];
        Assert.Equal(Errno.None, open.GetNextKey(U32(3), next));
        Assert.Equal(U32(0), next);
        Assert.Equal(Errno.E2BIG, map.Update(U32(8), new byte[16]));
    }

    private static SimulatedMap ArrayOfMaps(SimulatedMapSource kernel)
    {
        SimulatedMap inner = kernel.Create(BpfMapType.Array, 4, 8, 1);
        SimulatedMap map = kernel.Create(BpfMapType.ArrayOfMaps, 4, 4, 5);
        map.Put(1, inner.Id);
        map.Put(3, inner.Id);
        return map;
    }
}
