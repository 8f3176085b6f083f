using System.Text;
using BpfRemote.Libbpf;

namespace BpfRemote.Simulation;

/// <summary>What a map is created as.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Name">At most 15 bytes.</param>
/// <param name="KeySize">Bytes of one key; 0 for queue, stack, ring buffers, bloom_filter and arena.</param>
/// <param name="ValueSize">Bytes of one value; for per-CPU types, of one CPU's value.</param>
/// <param name="MaxEntries">0 only for cgroup and local storage.</param>
public sealed record SimulatedMapSpec(BpfMapType Type, string Name, uint KeySize, uint ValueSize, uint MaxEntries)
{
    /// <summary>Hash types with this flag hash with seed 0, so that their buckets are those of every kernel.</summary>
    public const uint ZeroSeed = 1 << 6;

    private const int MaxNameBytes = 15;

    /// <summary><c>BPF_F_*</c> as given to BPF_MAP_CREATE.</summary>
    public uint Flags { get; init; }

    /// <summary><c>map_extra</c> as given to BPF_MAP_CREATE.</summary>
    public ulong MapExtra { get; init; }

    /// <summary>For prog_array: the type of the programs it may call.</summary>
    public uint? OwnerProgType { get; init; }

    internal MapInfo ToInfo(uint id) => IsValid
        ? new MapInfo
        {
            Id = id,
            Type = Type,
            Name = Name,
            KeySize = KeySize,
            ValueSize = ValueSize,
            MaxEntries = MaxEntries,
            Flags = Flags,
            MapExtra = MapExtra,
            OwnerProgType = OwnerProgType,
            MemlockBytes = ((ulong)KeySize + ValueSize) * MaxEntries,
        }
        : throw new BpfException("bpf_map_create", Errno.EINVAL, $"{Name} ({Type})");

    private bool IsValid => Encoding.UTF8.GetByteCount(Name) <= MaxNameBytes && Type switch
    {
        BpfMapType.Hash or BpfMapType.LruHash or BpfMapType.PerCpuHash or BpfMapType.LruPerCpuHash or BpfMapType.HashOfMaps
            or BpfMapType.SockHash => KeySize > 0 && ValueSize > 0 && MaxEntries > 0,
        BpfMapType.LpmTrie => KeySize is > sizeof(uint) and <= sizeof(uint) + 256 && ValueSize > 0 && MaxEntries > 0,
        BpfMapType.CgroupStorage or BpfMapType.PerCpuCgroupStorage =>
            KeySize is 8 or 16 && ValueSize > 0 && MaxEntries == 0,
        BpfMapType.Queue or BpfMapType.Stack => KeySize == 0 && ValueSize > 0 && MaxEntries > 0,
        BpfMapType.Array or BpfMapType.PerCpuArray or BpfMapType.ArrayOfMaps or BpfMapType.ProgArray or BpfMapType.DevMap
            or BpfMapType.DevMapHash or BpfMapType.CpuMap or BpfMapType.SockMap or BpfMapType.ReuseportSockArray
            or BpfMapType.PerfEventArray or BpfMapType.CgroupArray or BpfMapType.XskMap or BpfMapType.StackTrace
            or BpfMapType.StructOps => KeySize == sizeof(uint) && ValueSize > 0 && MaxEntries > 0,
        _ => true,
    };
}
