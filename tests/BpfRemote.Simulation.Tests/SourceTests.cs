using BpfRemote.Libbpf;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using static BpfRemote.Simulation.Tests.Maps;

namespace BpfRemote.Simulation.Tests;

public sealed class SourceTests
{
    private readonly SimulatedMapSource _kernel = Kernel();

    [Fact]
    public void IdsRiseAndAreNotUsedAgain()
    {
        SimulatedMap[] maps = [.. Enumerable.Range(0, 3).Select(i => _kernel.Create(BpfMapType.Array, 4, 4, 1))];
        _kernel.RemoveMap(maps[1]);
        _kernel.RemoveMap(maps[2]);
        SimulatedMap next = _kernel.Create(BpfMapType.Array, 4, 4, 1);

        Assert.Equal([1u, 4u], new[] { maps[0].Id, next.Id });
        Assert.Equal([1u, 4u], _kernel.MapIds(0));
        Assert.Equal([4u], _kernel.MapIds(1));
        Assert.Empty(_kernel.MapIds(4));
        Assert.Empty(_kernel.MapIds(uint.MaxValue));
        Assert.Equal(Errno.ENOENT, Assert.Throws<BpfException>(() => _kernel.OpenById(2)).Errno);
    }

    [Fact]
    public void AnOpenMapOutlivesItsRemovalAndAClosedOneRefusesCalls()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Array, 4, 4, 1);
        IBpfMap open = _kernel.OpenById(map.Id);
        _kernel.RemoveMap(map);
        Assert.Equal(Errno.None, open.Find(U32(0)).Error);

        open.Dispose();
        Assert.Throws<ObjectDisposedException>(() => open.Find(U32(0)));
    }

    [Fact]
    public void PinsLeadToMapsUntilTheyAreTakenAwayOrReplaced()
    {
        SimulatedMap first = _kernel.Create(BpfMapType.Array, 4, 4, 1);
        SimulatedMap second = _kernel.Create(BpfMapType.Array, 4, 4, 1);
        _kernel.Pin("/sys/fs/bpf/b", first);
        _kernel.Pin("/sys/fs/bpf/a", first);
        Assert.Equal(["/sys/fs/bpf/a", "/sys/fs/bpf/b"], _kernel.ReadPins(TestContext.Current.CancellationToken).Of(first.Id));

        _kernel.Pin("/sys/fs/bpf/a", second);
        using IBpfMap open = _kernel.OpenPinned("/sys/fs/bpf/a");
        Assert.Equal(second.Id, open.Info.Id);

        _kernel.RemoveMap(second);
        _kernel.Unpin("/sys/fs/bpf/b");
        Assert.Equal(Errno.ENOENT, Assert.Throws<BpfException>(() => _kernel.OpenPinned("/sys/fs/bpf/a")).Errno);
        Assert.Empty(_kernel.ReadPins(TestContext.Current.CancellationToken).ByMapId);
    }

    [Fact]
    public void ProgramsAndOwnersAreFoundByMap()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Array, 4, 4, 1);
        _kernel.AddOwner(new OwnerProcess(20, "b"), map);
        _kernel.AddOwner(new OwnerProcess(10, "a"), map);
        _kernel.AddProgram(new BpfProgram(7, "p", 6), map);

        Assert.Equal([10u, 20u], _kernel.ReadOwners(TestContext.Current.CancellationToken).Of(map.Id).Select(owner => owner.Pid));
        Assert.Equal([new BpfProgram(7, "p", 6)], _kernel.ReadPrograms(TestContext.Current.CancellationToken).Of(map.Id));
        Assert.Empty(_kernel.ReadPrograms(TestContext.Current.CancellationToken).Of(map.Id + 1));
    }

    [Theory]
    [InlineData(BpfMapType.Array, "m", 8u, 4u, 1u)]
    [InlineData(BpfMapType.Hash, "m", 0u, 4u, 1u)]
    [InlineData(BpfMapType.Hash, "m", 4u, 4u, 0u)]
    [InlineData(BpfMapType.Hash, "sixteen_letters_", 4u, 4u, 1u)]
    [InlineData(BpfMapType.LpmTrie, "m", 4u, 4u, 1u)]
    [InlineData(BpfMapType.LpmTrie, "m", 261u, 4u, 1u)]
    [InlineData(BpfMapType.Queue, "m", 4u, 4u, 1u)]
    public void AMapThatTheKernelWouldRefuseIsRefused(BpfMapType type, string name, uint keySize, uint valueSize, uint maxEntries)
    {
        SimulatedMapSpec spec = new(type, name, keySize, valueSize, maxEntries);
        Assert.Equal(Errno.EINVAL, Assert.Throws<BpfException>(() => _kernel.CreateMap(spec)).Errno);
    }

    [Fact]
    public void AFrozenMapCannotBeWritten()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.Hash, 4, 4, 1);
        map.Put(1, 1);
        map.Freeze();

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.True(open.Info.Frozen);
        Assert.Equal(Errno.EPERM, map.Update(U32(1), new byte[4]));
        Assert.Equal(Errno.EPERM, map.Delete(U32(1)));
        Assert.Equal(Hex(1), open.Find(U32(1)).Value);
    }

    [Fact]
    public void TheSameSeedIsTheSameBootAndAnotherIsNot()
    {
        Guid boot = Kernel(new SimulatedNode { Seed = 5 }).Node.BootId;
        Assert.Equal(boot, Kernel(new SimulatedNode { Seed = 5 }).Node.BootId);
        Assert.NotEqual(boot, Kernel(new SimulatedNode { Seed = 6 }).Node.BootId);
    }

    [Fact]
    public void TheNodeSaysThatItIsSimulated()
    {
        NodeFacts node = _kernel.Node;
        Assert.Equal(("simulated", "6.18.0-simulated", ""), (node.Hostname, node.KernelRelease, node.LibbpfVersion));
        Assert.Equal([0u, 1u, 2u, 3u], node.PossibleCpuIds);
    }

    [Fact]
    public void ClocksFollowTheTimeProviderFromTheMomentOfBoot()
    {
        FakeTimeProvider time = new(DateTimeOffset.FromUnixTimeSeconds(1_000_000_000));
        SimulatedMapSource kernel = new(new SimulatedNode(), time);
        time.Advance(TimeSpan.FromMilliseconds(1500));

        Assert.Equal(new NodeClocks(1_000_000_001_500_000_000, 1_500_000_000, 1_500_000_000), kernel.ReadClocks());
    }

    [Fact]
    public void TheSeedDecidesTheOrderOfAHash()
    {
        Assert.Equal(OrderOf(seed: 1), OrderOf(seed: 1));
        Assert.NotEqual(OrderOf(seed: 1), OrderOf(seed: 2));

        static List<string> OrderOf(int seed)
        {
            SimulatedMapSource kernel = Kernel(new SimulatedNode { Seed = seed });
            SimulatedMap map = kernel.Create(BpfMapType.Hash, 4, 8, 100);
            for (uint key = 0; key < 100; key++)
            {
                map.Put(key, key);
            }

            using IBpfMap open = kernel.OpenById(map.Id);
            return open.WalkKeys();
        }
    }
}
