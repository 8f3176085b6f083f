using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Elements;

/// <summary>The entries of one map and the kernel's way through them. Not safe for concurrent use.</summary>
/// <remarks>Source: <c>struct bpf_map_ops</c> of each type in the kernel's kernel/bpf.</remarks>
internal abstract class MapElements(MapInfo info, ValueShape shape)
{
    protected MapInfo Info { get; } = info;

    protected int KeySize { get; } = checked((int)info.KeySize);

    protected ValueShape Shape { get; } = shape;

    /// <summary>Whether a batch passes over keys without a value, or ends there with EINTR.</summary>
    private bool SkipsHoles { get; init; } = true;

    public static MapElements Create(MapInfo info, SimulatedNode node)
    {
        ValueShape shape = ValueShape.Of(info, node.PossibleCpuIds.Count);
        return info.Type switch
        {
            BpfMapType.Hash or BpfMapType.LruHash or BpfMapType.PerCpuHash or BpfMapType.LruPerCpuHash or BpfMapType.HashOfMaps
                or BpfMapType.SockHash or BpfMapType.DevMapHash => new HashElements(info, shape, node.Seed),
            BpfMapType.Array or BpfMapType.PerCpuArray => new IndexedElements(info, shape, filled: true),
            BpfMapType.ArrayOfMaps => new IndexedElements(info, shape, filled: false) { SkipsHoles = node.BatchSkipsHoles },
            BpfMapType.ProgArray or BpfMapType.DevMap or BpfMapType.CpuMap or BpfMapType.SockMap or BpfMapType.ReuseportSockArray
                or BpfMapType.PerfEventArray or BpfMapType.CgroupArray or BpfMapType.XskMap or BpfMapType.StructOps
                => new IndexedElements(info, shape, filled: false),
            BpfMapType.StackTrace => new StackTraceElements(info, shape),
            BpfMapType.LpmTrie => new TrieElements(info, shape),
            BpfMapType.Queue or BpfMapType.Stack => new QueueElements(info, shape),
            BpfMapType.CgroupStorage or BpfMapType.PerCpuCgroupStorage => new CgroupStorageElements(info, shape),
            _ => new NoElements(info, shape),
        };
    }

    public abstract Errno Lookup(ReadOnlySpan<byte> key, Span<byte> value);

    public abstract Errno NextKey(ReadOnlySpan<byte> key, Span<byte> nextKey);

    public abstract Errno Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    public abstract Errno Delete(ReadOnlySpan<byte> key);

    /// <summary>The kernel's batch for everything but hash types: a walk by key whose cursor is the last key it passed.</summary>
    /// <remarks>A walk that returns nothing leaves the cursor alone. Source: <c>generic_map_lookup_batch</c>.</remarks>
    public virtual BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count)
    {
        ReadOnlySpan<byte> passed = cursor.HasPosition ? cursor.Bytes[..KeySize] : [];
        Span<byte> last = new byte[KeySize];
        Span<byte> next = new byte[KeySize];
        int total = 0;
        Errno error = Errno.None;
        while (total < count && (error = NextKey(passed, next)) == Errno.None)
        {
            if (Lookup(next, values.Slice(total * Shape.Size, Shape.Size)) == Errno.None)
            {
                next.CopyTo(keys[(total * KeySize)..]);
                total++;
            }
            else if (!SkipsHoles)
            {
                error = Errno.EINTR;
                break;
            }

            next.CopyTo(last);
            passed = last;
        }

        if (total > 0)
        {
            cursor.MoveTo(passed);
        }

        return new BatchResult(total, error);
    }
}
