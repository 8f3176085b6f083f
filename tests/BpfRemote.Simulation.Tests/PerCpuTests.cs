using BpfRemote.Libbpf;
using Xunit;
using static BpfRemote.Simulation.Tests.Maps;

namespace BpfRemote.Simulation.Tests;

public sealed class PerCpuTests
{
    [Theory]
    [InlineData(BpfMapType.PerCpuArray)]
    [InlineData(BpfMapType.PerCpuHash)]
    [InlineData(BpfMapType.LruPerCpuHash)]
    public void ABlockForEachPossibleCpuKeepsItsDataAndItsPaddingIsNeverZero(BpfMapType type)
    {
        SimulatedMapSource kernel = Kernel(new SimulatedNode { PossibleCpuIds = [0, 2, 3] });
        SimulatedMap map = kernel.Create(type, 4, 5, 4);
        byte[] value = [1, 1, 1, 1, 1, 0, 0, 0, 2, 2, 2, 2, 2, 0, 0, 0, 3, 3, 3, 3, 3, 0, 0, 0];
        Assert.Equal(Errno.None, map.Update(U32(1), new byte[24]));
        Assert.Equal(Errno.None, map.Update(U32(1), value));
        using IBpfMap open = kernel.OpenById(map.Id);

        byte[] read = new byte[24];
        Assert.Equal(Errno.None, open.LookupElement(U32(1), read));

        Assert.Equal([0u, 2u, 3u], kernel.Node.PossibleCpuIds);
        Assert.Equal(24u, open.Layout.ValueStride);
        for (int position = 0; position < 24; position++)
        {
            Assert.True(position % 8 < 5 ? read[position] == value[position] : read[position] != 0);
        }

        Assert.Contains(Convert.ToHexString(read), open.ReadAll(10).SelectMany(page => page.Values));
    }

    [Fact]
    public void TheEntriesOfAPerCpuArrayStartAtZeroOnEveryCpu()
    {
        SimulatedMapSource kernel = Kernel();
        using IBpfMap open = kernel.OpenById(kernel.Create(BpfMapType.PerCpuArray, 4, 8, 2).Id);

        Page page = open.Read(new MapCursor(4), 8);

        Assert.Equal([Hex(0), Hex(1)], page.Keys);
        Assert.All(page.Values, value => Assert.Equal(new string('0', 4 * 8 * 2), value));
    }

    [Fact]
    public void AValueOfTheWrongSizeIsACallersMistake()
    {
        SimulatedMapSource kernel = Kernel();
        SimulatedMap map = kernel.Create(BpfMapType.PerCpuHash, 4, 8, 2);

        Assert.Throws<ArgumentException>(() => map.Update(U32(1), new byte[8]));
        Assert.Throws<ArgumentException>(() => map.Update([1], new byte[32]));
    }
}
