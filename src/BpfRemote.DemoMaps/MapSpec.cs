using BpfRemote.Libbpf;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.DemoMaps;

/// <summary>What <see cref="WritableMap.Create"/> asks the kernel for. Rules between the members are the kernel's.</summary>
public sealed record MapSpec
{
    public required BpfMapType Type { get; init; }

    /// <summary>At most 15 bytes of letters, digits, <c>_</c> and <c>.</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>Bytes of one key; 0 for queue, stack and bloom_filter.</summary>
    public uint KeySize { get; init; }

    /// <summary>Bytes of one value; for per-CPU types, of one CPU's value.</summary>
    public uint ValueSize { get; init; }

    public uint MaxEntries { get; init; }

    /// <summary>BPF_F_… of the kernel's <c>linux/bpf.h</c>, see <see cref="MapFlags"/>.</summary>
    public uint Flags { get; init; }

    /// <summary>Depends on the type: the number of hashes of a bloom_filter, the address of an arena.</summary>
    public ulong MapExtra { get; init; }

    /// <summary>For array_of_maps and hash_of_maps: the map whose shape the inner maps have.</summary>
    public WritableMap? InnerMap { get; init; }

    /// <summary>BTF in the kernel that describes keys and values.</summary>
    public SafeFileHandle? Btf { get; init; }

    public uint BtfKeyTypeId { get; init; }
    public uint BtfValueTypeId { get; init; }
}

/// <summary>The flags of map creation that are used here, under the names of <c>linux/bpf.h</c>.</summary>
public static class MapFlags
{
    public const uint BPF_F_NO_PREALLOC = 1u << 0;
    public const uint BPF_F_NO_COMMON_LRU = 1u << 1;
    public const uint BPF_F_INNER_MAP = 1u << 12;
    public const uint BPF_F_MMAPABLE = 1u << 10;
}
