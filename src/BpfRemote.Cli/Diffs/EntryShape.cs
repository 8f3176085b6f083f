using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Diffs;

/// <summary>The shape of the entries of one side of a comparison.</summary>
/// <param name="KeySize">Bytes of a key.</param>
/// <param name="ValueSize">Bytes of a value, or of one CPU's; 0 where the kernel gives none.</param>
/// <param name="Cpus">Of a per-CPU map, the CPUs in the order of their values.</param>
/// <param name="Order">The node's byte order, where it is known.</param>
internal sealed record EntryShape(int KeySize, int ValueSize, IReadOnlyList<uint>? Cpus, ByteOrder Order)
{
    /// <summary>Bytes of a value with those of all CPUs, without what the kernel has between them.</summary>
    public int PackedSize => ValueSize * (Cpus?.Count ?? 1);

    /// <summary>That of a scan.</summary>
    public static EntryShape Of(Layout layout) => layout.ValueKind == ValueKind.PerCpu && layout.ValueError.Length == 0
        ? new((int)layout.KeySize, (int)layout.ValueSize, layout.PossibleCpuIds, layout.ByteOrder)
        : new((int)layout.KeySize, (int)layout.ValueStride, null, layout.ByteOrder);

    /// <summary>Whether entries of both shapes can be of one map.</summary>
    public bool Fits(EntryShape other) =>
        KeySize == other.KeySize && ValueSize == other.ValueSize && Cpus?.Count == other.Cpus?.Count;

    /// <summary>Whether entries can be of these types; values that the kernel does not give are of any.</summary>
    public bool Fits(MapSchema schema) =>
        (schema.Key?.Size ?? 0) <= KeySize && (ValueSize == 0 || schema.Value.Size <= ValueSize);

    public override string ToString() =>
        $"keys of {KeySize} and values of {ValueSize} bytes" + (Cpus is null ? "" : $" for each of {Cpus.Count} CPUs");
}
