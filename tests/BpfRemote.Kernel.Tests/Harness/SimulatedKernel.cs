using BpfRemote.Libbpf;
using BpfRemote.Simulation;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>The simulated kernel.</summary>
public sealed class SimulatedKernel(SimulatedNode node) : ITestKernel
{
    public SimulatedKernel()
        : this(new SimulatedNode())
    {
    }

    public IMapSource Source => Simulation;

    /// <summary>The same, for what only a simulation can do.</summary>
    public SimulatedMapSource Simulation { get; } = new(node, TimeProvider.System);

    public ITestMap Create(MapShape shape) => CreateSimulated(shape);

    /// <summary>As <see cref="Create"/>.</summary>
    public SimulatedTestMap CreateSimulated(MapShape shape) => new(Simulation, shape);

    public void Dispose()
    {
    }
}

/// <summary>A map of a simulated kernel.</summary>
public sealed class SimulatedTestMap(SimulatedMapSource source, MapShape shape) : ITestMap
{
    private const int Referred = 3;

    public uint Id => Map.Id;

    public MapShape Shape => shape;

    /// <summary>The map itself, for what only a simulation can do.</summary>
    public SimulatedMap Map { get; } = source.CreateMap(
        new(shape.Type, shape.Name, shape.KeySize, shape.ValueSize, shape.MaxEntries) { Flags = shape.Flags });

    public byte[] Put(ReadOnlySpan<byte> key, int number)
    {
        byte[] value = Map.Layout.ValueKind switch
        {
            MapValueKind.Raw or MapValueKind.Stack => EntryData.Value((int)shape.ValueSize, number),
            MapValueKind.PerCpu => EntryData.Value((int)shape.ValueSize * source.Node.PossibleCpuIds.Count, number),
            _ => EntryData.Value((int)shape.ValueSize, number % Referred),
        };
        Assert.Equal(Errno.None, Map.Update(key, shape.IsPerCpu ? EntryData.Pad(value, shape) : value));
        return value;
    }

    public bool Delete(ReadOnlySpan<byte> key) => Map.Delete(key) switch
    {
        Errno.None => true,
        Errno.ENOENT => false,
        var error => throw new BpfException("bpf_map_delete_elem", error, $"map {Id}"),
    };

    public void Pin(string path) => source.Pin(path, Map);

    public void Unpin(string path) => source.Unpin(path);

    public void Dispose() => source.RemoveMap(Map);
}
