using BpfRemote.Libbpf;

namespace BpfRemote.Simulation;

/// <summary>The machine that is simulated. Equal nodes hold equal maps: everything random comes from <see cref="Seed"/>.</summary>
public sealed record SimulatedNode
{
    /// <summary>Where hash seeds, sample entries and the boot id come from. The same seed is the same boot.</summary>
    public int Seed { get; init; } = 1;

    public string Hostname { get; init; } = "simulated";

    /// <summary>The kernel whose behaviour is followed where kernels differ.</summary>
    public Version KernelVersion { get; init; } = new(6, 18);

    /// <summary>Possible CPUs in the order of the blocks of a per-CPU value; ids may have gaps.</summary>
    public IReadOnlyList<uint> PossibleCpuIds { get; init; } = [0, 1, 2, 3];

    /// <summary>Whether a batch passes over a hole of a map of maps. Kernels before 6.14 end it with EINTR.</summary>
    internal bool BatchSkipsHoles => KernelVersion >= new Version(6, 14);

    internal NodeFacts ToFacts() => new(
        Hostname,
        $"{KernelVersion}.0-simulated",
        BootId(),
        PossibleCpuIds,
        LibbpfVersion: "");

    /// <summary>Whether the kernel has the batch call for a type.</summary>
    internal bool SupportsBatch(BpfMapType type) => type switch
    {
        BpfMapType.Hash or BpfMapType.LruHash or BpfMapType.PerCpuHash or BpfMapType.LruPerCpuHash or BpfMapType.Array
            => KernelVersion >= new Version(5, 6),
        BpfMapType.PerCpuArray or BpfMapType.LpmTrie => KernelVersion >= new Version(5, 13),
        BpfMapType.HashOfMaps or BpfMapType.ArrayOfMaps => KernelVersion >= new Version(5, 19),
        _ => false,
    };

    private Guid BootId()
    {
        Span<byte> bytes = stackalloc byte[16];
        new Random(Seed).NextBytes(bytes);
        return new Guid(bytes);
    }
}
