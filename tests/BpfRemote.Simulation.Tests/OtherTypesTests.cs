using BpfRemote.Libbpf;
using Xunit;
using static BpfRemote.Simulation.Tests.Maps;

namespace BpfRemote.Simulation.Tests;

public sealed class OtherTypesTests
{
    private readonly SimulatedMapSource _kernel = Kernel();

    [Theory]
    [InlineData(BpfMapType.Queue, "0100000000000000", "0200000000000000")]
    [InlineData(BpfMapType.Stack, "0200000000000000", "0100000000000000")]
    public void AQueueAndAStackShowOnlyTheirNextValue(BpfMapType type, string first, string second)
    {
        SimulatedMap map = _kernel.Create(type, 0, 8, 2);
        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal(Errno.ENOENT, open.Find([]).Error);

        map.Update([], BitConverter.GetBytes(1ul));
        map.Update([], BitConverter.GetBytes(2ul));

        Assert.Equal(Errno.E2BIG, map.Update([], new byte[8]));
        Assert.Equal((Errno.None, first), open.Find([]));
        Assert.Equal((Errno.None, first), open.Find([]));
        Assert.Equal(Errno.EINVAL, open.GetNextKey([], []));
        Assert.Equal(Errno.ENOTSUPP, open.LookupBatch(new MapCursor(0), [], new byte[8], 1).Error);

        Assert.Equal(Errno.None, map.Delete([]));
        Assert.Equal((Errno.None, second), open.Find([]));
    }

    [Fact]
    public void ADevmapHashIsWalkedInTheOrderOfItsBuckets()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.DevMapHash, 4, 8, 8);
        foreach (uint key in new uint[] { 3, 11, 8, 1 })
        {
            map.Put(key, key * 10);
        }

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal([Hex(8), Hex(1), Hex(11), Hex(3)], open.WalkKeys());
        Assert.Equal(Errno.ENOTSUPP, open.Read(new MapCursor(4), 2).Error);
        Assert.Equal((Errno.None, "6E00000000000000"), open.Find(U32(11)));
    }

    [Fact]
    public void CgroupStorageIsWalkedNewestFirstAndADeletedKeyEndsTheWalk()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.CgroupStorage, 8, 8, 0);
        byte[][] keys = [.. new[] { 1ul, 2ul, 3ul }.Select(BitConverter.GetBytes)];
        foreach (byte[] key in keys)
        {
            map.Update(key, key);
        }

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal(keys.Reverse().Select(Convert.ToHexString), open.WalkKeys());

        map.Delete(keys[1]);
        Assert.Equal(Errno.ENOENT, open.GetNextKey(keys[1], new byte[8]));
        Assert.Equal(Errno.ENOENT, open.Find(keys[1]).Error);
    }

    [Theory]
    [InlineData(BpfMapType.RingBuf, 0u)]
    [InlineData(BpfMapType.UserRingBuf, 0u)]
    [InlineData(BpfMapType.BloomFilter, 0u)]
    [InlineData(BpfMapType.Arena, 0u)]
    [InlineData(BpfMapType.TaskStorage, 4u)]
    [InlineData((BpfMapType)99, 4u)]
    public void UnreadableTypesCanBeOpenedAndNotRead(BpfMapType type, uint keySize)
    {
        using IBpfMap open = _kernel.OpenById(_kernel.Create(type, keySize, 8, 4096).Id);

        Assert.Equal((type, ScanMethod.None), (open.Info.Type, open.Layout.Method));
        Assert.Throws<InvalidOperationException>(() => open.GetNextKey([], new byte[keySize]));
        Assert.Throws<InvalidOperationException>(() => open.LookupElement(new byte[keySize], new byte[8]));
        Assert.Throws<InvalidOperationException>(() => open.LookupBatch(new MapCursor(keySize), new byte[8], new byte[8], 1));
    }

    [Fact]
    public void BuffersThatAKernelCouldOverrunAreRefused()
    {
        using IBpfMap open = _kernel.OpenById(_kernel.Create(BpfMapType.Hash, 8, 8, 4).Id);

        Assert.Throws<ArgumentException>(() => open.LookupBatch(new MapCursor(8), new byte[15], new byte[16], 2));
        Assert.Throws<ArgumentException>(() => open.LookupBatch(new MapCursor(8), new byte[16], new byte[15], 2));
        Assert.Throws<ArgumentException>(() => open.LookupBatch(new MapCursor(4), new byte[16], new byte[16], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => open.LookupBatch(new MapCursor(8), [], [], 0));
        Assert.Throws<ArgumentException>(() => open.LookupElement(new byte[7], new byte[8]));
        Assert.Throws<ArgumentException>(() => open.LookupElement(new byte[8], new byte[7]));
        Assert.Throws<ArgumentException>(() => open.GetNextKey(new byte[7], new byte[8]));
        Assert.Throws<ArgumentException>(() => open.GetNextKey([], new byte[7]));
    }
}
