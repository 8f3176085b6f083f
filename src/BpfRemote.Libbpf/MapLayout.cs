using System.Numerics;

namespace BpfRemote.Libbpf;

/// <summary>What the bytes of a value are.</summary>
public enum MapValueKind
{
    Raw,
    PerCpu,
    MapId,
    ProgId,
    DevMap,
    CpuMap,
    SocketCookie,
    Stack,
}

/// <summary>How a scan walks a map.</summary>
public enum ScanMethod
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>The batch call with a bucket cursor: hash types.</summary>
    Buckets,

    /// <summary>The batch call with an index cursor: array types.</summary>
    BatchByIndex,

    /// <summary>The batch call with a key cursor: lpm_trie.</summary>
    Trie,

    /// <summary>A lookup for each index: index-keyed types without the batch call.</summary>
    ElementByIndex,

    /// <summary>get_next_key and a lookup: keyed types without the batch call.</summary>
    KeyWalk,

    /// <summary>One lookup with no key: queue, stack.</summary>
    Peek,
}

/// <summary>How a map is laid out and can be read on this kernel. Source: docs of each type, and measurements on 6.1, 6.12, 6.18.</summary>
public sealed record MapLayout
{
    /// <summary>Bytes of one key.</summary>
    public required uint KeySize { get; init; }

    /// <summary>Bytes the kernel writes for one value; 0 where it refuses every value.</summary>
    public required uint ValueStride { get; init; }

    /// <summary>What the bytes of a value are.</summary>
    public required MapValueKind ValueKind { get; init; }

    /// <summary>How a scan walks the map.</summary>
    public required ScanMethod Method { get; init; }

    /// <summary>For index-keyed maps: one more than the largest index. A stack_trace map has max_entries rounded up to a power
    /// of two of them (<c>kernel/bpf/stackmap.c</c>).</summary>
    public uint IndexCount { get; init; }

    /// <summary>What the kernel answers for every value, where it refuses them; then only keys can be read.</summary>
    public Errno ValueError { get; init; }

    /// <summary>Why the map is not readable, or only in part; empty where all of it is.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Whether single values can be looked up by key.</summary>
    public bool IsKeyed => Method is not (ScanMethod.None or ScanMethod.Peek);

    /// <summary>Bytes of one entry: key and value.</summary>
    public ulong EntrySize => (ulong)KeySize + ValueStride;

    /// <summary>Works out the layout of a map.</summary>
    /// <param name="info">The map.</param>
    /// <param name="possibleCpus">Possible CPUs of the node.</param>
    /// <param name="supportsBatch">Whether the kernel has the batch call for this map.</param>
    public static MapLayout Of(MapInfo info, int possibleCpus, bool supportsBatch)
    {
        MapLayout raw = new()
        {
            KeySize = info.KeySize,
            ValueStride = info.ValueSize,
            ValueKind = MapValueKind.Raw,
            Method = ScanMethod.None,
            IndexCount = info.MaxEntries,
        };
        return info.Type switch
        {
            BpfMapType.Hash or BpfMapType.LruHash => BatchOnly(raw, ScanMethod.Buckets),
            BpfMapType.PerCpuHash or BpfMapType.LruPerCpuHash => BatchOnly(PerCpu(), ScanMethod.Buckets),
            BpfMapType.HashOfMaps => (raw with { ValueKind = MapValueKind.MapId }).WithMethod(
                supportsBatch ? ScanMethod.Buckets : ScanMethod.KeyWalk),
            BpfMapType.Array => raw.WithMethod(supportsBatch ? ScanMethod.BatchByIndex : ScanMethod.ElementByIndex),
            BpfMapType.PerCpuArray => PerCpu().WithMethod(supportsBatch ? ScanMethod.BatchByIndex : ScanMethod.ElementByIndex),
            BpfMapType.ArrayOfMaps => (raw with { ValueKind = MapValueKind.MapId }).WithMethod(
                supportsBatch ? ScanMethod.BatchByIndex : ScanMethod.ElementByIndex),
            BpfMapType.LpmTrie => BatchOnly(raw, ScanMethod.Trie),
            BpfMapType.ProgArray => (raw with { ValueKind = MapValueKind.ProgId }).WithMethod(ScanMethod.ElementByIndex),
            BpfMapType.DevMap => (raw with { ValueKind = MapValueKind.DevMap }).WithMethod(ScanMethod.ElementByIndex),
            BpfMapType.CpuMap => (raw with { ValueKind = MapValueKind.CpuMap }).WithMethod(ScanMethod.ElementByIndex),
            BpfMapType.StructOps => raw.WithMethod(ScanMethod.ElementByIndex),
            BpfMapType.StackTrace => (raw with
            {
                ValueKind = MapValueKind.Stack,
                IndexCount = BitOperations.RoundUpToPowerOf2(info.MaxEntries),
            }).WithMethod(ScanMethod.ElementByIndex),
            BpfMapType.DevMapHash => (raw with { ValueKind = MapValueKind.DevMap }).WithMethod(ScanMethod.KeyWalk),
            BpfMapType.SockMap or BpfMapType.ReuseportSockArray => Sockets(raw, info, ScanMethod.ElementByIndex),
            BpfMapType.SockHash => Sockets(raw, info, ScanMethod.KeyWalk),
            BpfMapType.CgroupStorage => raw.WithMethod(ScanMethod.KeyWalk),
            BpfMapType.PerCpuCgroupStorage => PerCpu().WithMethod(ScanMethod.KeyWalk),
            BpfMapType.PerfEventArray or BpfMapType.CgroupArray =>
                KeysOnly(raw, Errno.ENOTSUPP).WithMethod(ScanMethod.ElementByIndex),
            BpfMapType.XskMap => KeysOnly(raw, Errno.EOPNOTSUPP).WithMethod(ScanMethod.ElementByIndex),
            BpfMapType.Queue or BpfMapType.Stack => raw.WithMethod(ScanMethod.Peek),
            BpfMapType.BloomFilter => raw.NotReadable("a bloom filter holds no entries that can be read back"),
            BpfMapType.RingBuf or BpfMapType.UserRingBuf => raw.NotReadable("a ring buffer is consumed, not read"),
            BpfMapType.Arena => raw.NotReadable("an arena is shared memory and has no entries"),
            BpfMapType.SkStorage or BpfMapType.InodeStorage or BpfMapType.TaskStorage or BpfMapType.CgrpStorage =>
                raw.NotReadable("local storage can be read only through a file descriptor of its owner"),
            _ => raw.NotReadable($"map type {(uint)info.Type} is newer than this agent"),
        };

        // Only here: the values of other types may be large enough for the product to overflow.
        MapLayout PerCpu() => raw with
        {
            ValueStride = checked((info.ValueSize + 7) / 8 * 8 * (uint)possibleCpus),
            ValueKind = MapValueKind.PerCpu,
        };

        MapLayout BatchOnly(MapLayout of, ScanMethod method) => supportsBatch
            ? of.WithMethod(method)
            : of.NotReadable("this kernel has no batch lookup for the type, and a walk by key would lose or repeat entries");
    }

    private static MapLayout Sockets(MapLayout raw, MapInfo info, ScanMethod method) => info.ValueSize == sizeof(ulong)
        ? (raw with { ValueKind = MapValueKind.SocketCookie }).WithMethod(method)
        : KeysOnly(raw, Errno.ENOSPC).WithMethod(method);

    private static MapLayout KeysOnly(MapLayout raw, Errno valueError) => raw with
    {
        ValueStride = 0,
        ValueError = valueError,
        Reason = $"the kernel refuses to give values of this map ({valueError.Name()}): keys only",
    };

    private MapLayout WithMethod(ScanMethod method) => this with { Method = method };

    private MapLayout NotReadable(string reason) => this with { Method = ScanMethod.None, ValueStride = 0, Reason = reason };
}
