using BpfRemote.Libbpf;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>What a map under test is created as.</summary>
/// <param name="Type">Its type.</param>
/// <param name="KeySize">Bytes of one key.</param>
/// <param name="ValueSize">Bytes of one value; for per-CPU types, of one CPU's.</param>
/// <param name="MaxEntries">As the kernel takes it.</param>
public sealed record MapShape(BpfMapType Type, uint KeySize, uint ValueSize, uint MaxEntries)
{
    public string Name { get; init; } = "ktest";

    public uint Flags { get; init; }

    public bool IsPerCpu => Type is BpfMapType.PerCpuHash or BpfMapType.PerCpuArray or BpfMapType.LruPerCpuHash
        or BpfMapType.PerCpuCgroupStorage;

    public bool IsIndexed => Type is BpfMapType.Array or BpfMapType.PerCpuArray or BpfMapType.ArrayOfMaps or BpfMapType.ProgArray
        or BpfMapType.DevMap or BpfMapType.CpuMap or BpfMapType.SockMap or BpfMapType.ReuseportSockArray;

    /// <summary>A map with room for a number of entries: for LRU types more, for those evict before they are full.</summary>
    public static MapShape For(BpfMapType type, uint keySize, uint valueSize, int entries) => new(
        type,
        keySize,
        valueSize,
        type is BpfMapType.LruHash or BpfMapType.LruPerCpuHash ? (uint)(entries * 2) + 1_024 : (uint)Math.Max(entries, 1))
    {
        Flags = type == BpfMapType.LpmTrie ? DemoMaps.MapFlags.BPF_F_NO_PREALLOC : 0,
    };
}
