using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf;

/// <summary>A map of the running kernel, opened BPF_F_RDONLY.</summary>
internal sealed unsafe class KernelMap(SafeBpfHandle handle, MapInfo info, MapLayout layout) : IBpfMap
{
    /// <summary>What the kernel writes for a looked up value, also where it refuses every value in the end.</summary>
    private readonly uint _valueLength = layout.ValueStride == 0 ? info.ValueSize : layout.ValueStride;

    public MapInfo Info => info;

    public MapLayout Layout => layout;

    public BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count)
    {
        RequireReadable();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        RequireRoom(keys, (long)count * info.KeySize, nameof(keys));
        RequireRoom(values, checked(count * (long)_valueLength), nameof(values));
        RequireRoom(cursor.OutBatch, Math.Max(sizeof(uint), info.KeySize), nameof(cursor));

        uint read = (uint)count;
        int result;

        // SAFETY: the kernel writes at most `count` keys and values and one cursor, checked above to fit; nothing is kept.
        fixed (byte* batch = cursor.OutBatch, keyBytes = keys, valueBytes = values)
        {
            result = BpfMap.bpf_map_lookup_batch(
                handle, cursor.HasPosition ? batch : null, batch, keyBytes, valueBytes, &read, null);
        }

        Errno error = (Errno)(-result);
        if (!IsCountTrusted(error))
        {
            return new(0, error);
        }

        // Hash types write the bucket with every trusted answer; the others write a key only where they return one.
        if (read > 0 || layout.Method is ScanMethod.Buckets)
        {
            cursor.MarkWritten();
        }

        return new((int)read, error);
    }

    public Errno LookupElement(ReadOnlySpan<byte> key, Span<byte> value)
    {
        RequireReadable();
        RequireKey(key);
        RequireRoom(value, _valueLength, nameof(value));

        // SAFETY: the kernel reads one key and writes one value, checked above to fit; an empty key is passed as NULL.
        fixed (byte* keyBytes = key, valueBytes = value)
        {
            return (Errno)(-BpfMap.bpf_map_lookup_elem(handle, keyBytes, valueBytes));
        }
    }

    public Errno GetNextKey(ReadOnlySpan<byte> key, Span<byte> nextKey)
    {
        RequireReadable();
        if (!key.IsEmpty)
        {
            RequireKey(key);
        }

        RequireRoom(nextKey, info.KeySize, nameof(nextKey));

        // SAFETY: the kernel reads one key, or none where it is NULL, and writes one, checked above to fit.
        fixed (byte* keyBytes = key, nextKeyBytes = nextKey)
        {
            return (Errno)(-BpfMap.bpf_map_get_next_key(handle, keyBytes, nextKeyBytes));
        }
    }

    public void Dispose() => handle.Dispose();

    /// <summary>For other errors the kernel leaves count as it was asked, or wrote it before it failed.</summary>
    private static bool IsCountTrusted(Errno error) => error is Errno.None or Errno.ENOENT or Errno.ENOSPC or Errno.ENOMEM
        or Errno.EINTR or Errno.EBUSY or Errno.EDEADLK or Errno.ETIMEDOUT;

    /// <summary>The size of what the kernel writes is known for readable maps only: a newer type may have any.</summary>
    private void RequireReadable()
    {
        if (layout.Method is ScanMethod.None)
        {
            throw new InvalidOperationException($"map {info.Id} is not readable: {layout.Reason}");
        }
    }

    private void RequireKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != info.KeySize)
        {
            throw new ArgumentException($"{key.Length} bytes, and keys of map {info.Id} have {info.KeySize}", nameof(key));
        }
    }

    private void RequireRoom(ReadOnlySpan<byte> buffer, long length, string name)
    {
        if (buffer.Length < length)
        {
            throw new ArgumentException($"{buffer.Length} bytes, and the kernel may write {length} for map {info.Id}", name);
        }
    }
}
