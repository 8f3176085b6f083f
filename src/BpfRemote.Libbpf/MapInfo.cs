namespace BpfRemote.Libbpf;

/// <summary>What the kernel says of a map: <c>struct bpf_map_info</c>, and fdinfo of the agent's own file descriptor.</summary>
public sealed record MapInfo
{
    public required uint Id { get; init; }
    public required BpfMapType Type { get; init; }
    public string Name { get; init; } = "";

    /// <summary>Bytes of one key; 0 for queue, stack and bloom_filter.</summary>
    public uint KeySize { get; init; }

    /// <summary>Bytes of one value; for per-CPU types, of one CPU's value.</summary>
    public uint ValueSize { get; init; }

    public uint MaxEntries { get; init; }
    public uint Flags { get; init; }
    public ulong MapExtra { get; init; }
    public bool Frozen { get; init; }

    /// <summary>Bytes charged for the map; 0 where the kernel does not say.</summary>
    public ulong MemlockBytes { get; init; }

    public uint BtfId { get; init; }
    public uint BtfKeyTypeId { get; init; }
    public uint BtfValueTypeId { get; init; }
    public uint BtfVmlinuxValueTypeId { get; init; }
    public uint InterfaceIndex { get; init; }
    public ulong NetnsDevice { get; init; }
    public ulong NetnsInode { get; init; }

    /// <summary>For prog_array: the type of the programs it may call; null where the kernel does not say.</summary>
    public uint? OwnerProgType { get; init; }

    public bool OwnerJited { get; init; }
}
