namespace BpfRemote.Libbpf;

/// <summary>Where maps come from: the kernel of this machine, or a simulated one. Safe for concurrent use.</summary>
public interface IMapSource
{
    /// <summary>What does not change while the node is up.</summary>
    NodeFacts Node { get; }

    /// <summary>The ids of the maps above <paramref name="after"/>, ascending; each is looked for when it is asked for.</summary>
    /// <exception cref="BpfException">EPERM, from the enumeration: the process may not list maps.</exception>
    IEnumerable<uint> MapIds(uint after);

    /// <summary>Opens a map read-only.</summary>
    /// <exception cref="BpfException">ENOENT: no such id. EPERM: the process may not open by id.</exception>
    IBpfMap OpenById(uint id);

    /// <summary>Opens the map pinned at an absolute path, read-only.</summary>
    /// <exception cref="BpfException">ENOENT: no such path. EINVAL: not a pinned map. EACCES: not readable.</exception>
    IBpfMap OpenPinned(string path);

    /// <summary>Walks every bpffs for pinned maps.</summary>
    PinnedMaps ReadPins(CancellationToken cancellationToken);

    /// <summary>Walks /proc for processes that hold a file descriptor of a map.</summary>
    MapOwners ReadOwners(CancellationToken cancellationToken);

    /// <summary>Walks the loaded programs for the maps they use.</summary>
    MapPrograms ReadPrograms(CancellationToken cancellationToken);

    /// <summary>Reads a BTF object: raw, as it was loaded.</summary>
    /// <param name="id">Its id; 1 is the kernel's own.</param>
    /// <exception cref="BpfException">ENOENT: no such id. EPERM: the process may not open by id.</exception>
    BtfBytes ReadBtf(uint id);

    /// <summary>Reads the node's clocks, all at one moment.</summary>
    NodeClocks ReadClocks();

    /// <summary>Reads the CPU time of the calling thread, of which only differences mean something: what native calls take of the
    /// node, without the time in which others had the CPU.</summary>
    TimeSpan ReadThreadTime();
}

/// <summary>One map, opened read-only. Safe to read from several threads, each with cursors and room of its own; close it promptly.</summary>
/// <remarks>Every call is one system call and says what the kernel said, uninterpreted: strategies are built on top.</remarks>
public interface IBpfMap : IDisposable
{
    /// <summary>The map's description when it was opened.</summary>
    MapInfo Info { get; }

    /// <summary>How the map is laid out and read, on this kernel.</summary>
    MapLayout Layout { get; }

    /// <summary>One native batch call: reads up to <paramref name="count"/> entries from the cursor on and moves the cursor
    /// where the kernel wrote a new one.</summary>
    /// <param name="cursor">Where to read from. Untouched where the kernel leaves out_batch untouched.</param>
    /// <param name="keys">At least <c>count × KeySize</c> bytes.</param>
    /// <param name="values">At least <c>count × ValueStride</c> bytes.</param>
    /// <param name="count">Entries to ask for, above 0.</param>
    BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count);

    /// <summary>Looks up one value.</summary>
    /// <param name="key">KeySize bytes.</param>
    /// <param name="value">At least ValueStride bytes (value_size where the stride is 0).</param>
    /// <returns>ENOENT where the key is absent; the kernel's error otherwise.</returns>
    Errno LookupElement(ReadOnlySpan<byte> key, Span<byte> value);

    /// <summary>The key after <paramref name="key"/> in the kernel's order; the first for an empty one.</summary>
    /// <returns>ENOENT after the last key. A key that is not in the map restarts at the first, for most types.</returns>
    Errno GetNextKey(ReadOnlySpan<byte> key, Span<byte> nextKey);
}

/// <summary>What one native batch call returned.</summary>
/// <param name="Count">Entries that are valid in the buffers; 0 where the kernel's count is not to be trusted.</param>
/// <param name="Error">None: a page, more may follow. ENOENT: the end, and <paramref name="Count"/> entries still count.
/// ENOSPC: the first non-empty bucket is larger than asked for, and the cursor names it.</param>
public readonly record struct BatchResult(int Count, Errno Error);
