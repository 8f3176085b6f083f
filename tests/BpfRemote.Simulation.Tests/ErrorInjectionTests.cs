using BpfRemote.Libbpf;
using Xunit;
using static BpfRemote.Simulation.Tests.Maps;

namespace BpfRemote.Simulation.Tests;

public sealed class ErrorInjectionTests
{
    private readonly SimulatedMapSource _kernel = Kernel();

    [Theory]
    [InlineData(BpfMapType.Hash, Errno.EBUSY)]
    [InlineData(BpfMapType.Hash, Errno.EDEADLK)]
    [InlineData(BpfMapType.Hash, Errno.ETIMEDOUT)]
    [InlineData(BpfMapType.Hash, Errno.ENOMEM)]
    [InlineData(BpfMapType.Array, Errno.EINTR)]
    public void ABrokenOffBatchKeepsWhatItReadAndTheNextGoesOnFromThere(BpfMapType type, Errno error)
    {
        SimulatedMap map = Filled(type, 100);
        using IBpfMap open = _kernel.OpenById(map.Id);
        List<string> undisturbed = KeysOf(open.ReadAll(10));
        map.InjectErrors(NativeCall.LookupBatch, error, onCall: 3, times: 2);

        MapCursor cursor = new(4);
        List<Page> pages = [];
        do
        {
            pages.Add(open.Read(cursor, 10));
        }
        while (pages[^1].Error != Errno.ENOENT);

        Assert.Equal([2, 3], Enumerable.Range(0, pages.Count).Where(i => pages[i].Error == error));
        Assert.InRange(pages[2].Keys.Count, 1, 5);
        Assert.Equal(undisturbed, KeysOf(pages));
    }

    [Fact]
    public void AnErrorNeverHidesTheEnd()
    {
        SimulatedMap map = Filled(BpfMapType.Hash, 1);
        map.InjectErrors(NativeCall.LookupBatch, Errno.EBUSY, times: 3);
        using IBpfMap open = _kernel.OpenById(map.Id);
        MapCursor cursor = new(4);

        for (int call = 0; call < 3; call++)
        {
            Page busy = open.Read(cursor, 10);
            Assert.Equal((Errno.EBUSY, 0), (busy.Error, busy.Keys.Count));
        }

        Assert.Equal([Hex(0)], open.Read(cursor, 10).Keys);
    }

    [Fact]
    public void AFaultLeavesEntriesInTheBuffersThatDoNotCountAndTheCursorAlone()
    {
        SimulatedMap map = Filled(BpfMapType.Hash, 100);
        map.InjectErrors(NativeCall.LookupBatch, Errno.EFAULT, onCall: 2);
        using IBpfMap open = _kernel.OpenById(map.Id);
        MapCursor cursor = new(4);
        string? before = open.Read(cursor, 10).Cursor;
        byte[] keys = new byte[40];
        byte[] values = new byte[80];

        Assert.Equal(new BatchResult(0, Errno.EFAULT), open.LookupBatch(cursor, keys, values, 10));

        Assert.Equal(before, Convert.ToHexString(cursor.Bytes));
        Assert.Contains(keys, part => part != 0);
        Assert.Contains(values, part => part != 0);
    }

    [Fact]
    public void AnInjectedEnospcMovesTheCursorToTheNextBucketThatIsNotEmpty()
    {
        SimulatedMap map = Filled(BpfMapType.Hash, 1);
        using IBpfMap open = _kernel.OpenById(map.Id);
        map.InjectErrors(NativeCall.LookupBatch, Errno.ENOSPC);
        MapCursor cursor = new(4);

        Page page = open.Read(cursor, 10);
        Assert.Equal((Errno.ENOSPC, 0), (page.Error, page.Keys.Count));
        Assert.True(cursor.HasPosition);
        Assert.Equal([Hex(0)], open.Read(cursor, 1).Keys);
    }

    [Theory]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EINVAL)]
    [InlineData(Errno.EBADF)]
    public void OtherErrorsTouchNothing(Errno error)
    {
        SimulatedMap map = Filled(BpfMapType.Hash, 10);
        map.InjectErrors(NativeCall.LookupBatch, error);
        using IBpfMap open = _kernel.OpenById(map.Id);
        byte[] keys = new byte[40];
        MapCursor cursor = new(4);

        Assert.Equal(new BatchResult(0, error), open.LookupBatch(cursor, keys, new byte[80], 10));
        Assert.False(cursor.HasPosition);
        Assert.All(keys, part => Assert.Equal(0, part));
    }

    [Fact]
    public void EachKindOfCallHasItsOwnSchedule()
    {
        SimulatedMap map = Filled(BpfMapType.Hash, 10);
        map.InjectErrors(NativeCall.Open, Errno.EPERM);
        map.InjectErrors(NativeCall.LookupElement, Errno.ENOMEM, onCall: 2);
        map.InjectErrors(NativeCall.GetNextKey, Errno.EFAULT, times: 2);

        Assert.Equal(Errno.EPERM, Assert.Throws<BpfException>(() => _kernel.OpenById(map.Id)).Errno);
        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal([Errno.None, Errno.ENOMEM, Errno.None], Enumerable.Range(0, 3).Select(i => open.Find(U32(1)).Error));
        Assert.Equal([Errno.EFAULT, Errno.EFAULT, Errno.None], Enumerable.Range(0, 3).Select(i => open.GetNextKey([], new byte[4])));
    }

    [Fact]
    public void TheHookRunsBeforeEachCallAndMayWrite()
    {
        SimulatedMap map = Filled(BpfMapType.Hash, 1);
        List<NativeCall> calls = [];
        map.BetweenCalls = call =>
        {
            calls.Add(call);
            map.Put((uint)calls.Count, 0);
        };

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal(Errno.None, open.Find(U32(2)).Error);
        Assert.Equal(4, open.Read(new MapCursor(4), 10).Keys.Count);
        open.GetNextKey([], new byte[4]);

        Assert.Equal([NativeCall.Open, NativeCall.LookupElement, NativeCall.LookupBatch, NativeCall.GetNextKey], calls);
    }

    private SimulatedMap Filled(BpfMapType type, uint entries)
    {
        SimulatedMap map = _kernel.Create(type, 4, 8, 100);
        for (uint key = 0; key < entries; key++)
        {
            map.Put(key, key + 1);
        }

        return map;
    }
}
