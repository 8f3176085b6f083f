namespace BpfRemote.Cli.Entries;

/// <summary>
/// Entries by key, packed: besides their own bytes each takes 5 to 9. Those that are looked up are marked, so that the rest can be
/// told in the end.
/// </summary>
internal sealed class EntryTable
{
    private const int ChunkBytes = 1 << 20;
    private const int Empty = -1;

    private readonly int _keySize;
    private readonly int _entrySize;
    private readonly int _chunkEntries;
    private readonly List<byte[]> _chunks = [];
    private readonly List<bool> _met = [];
    private int[] _slots = NewSlots(1024);

    /// <param name="keySize">Bytes of a key.</param>
    /// <param name="valueSize">Bytes of a value.</param>
    public EntryTable(int keySize, int valueSize)
    {
        _keySize = keySize;
        _entrySize = keySize + valueSize;
        _chunkEntries = Math.Max(1, ChunkBytes / Math.Max(1, _entrySize));
    }

    /// <summary>How many entries there are.</summary>
    public int Count => _met.Count;

    /// <summary>Puts an entry in; of several with one key the last counts.</summary>
    /// <returns>Whether it is the first with its key.</returns>
    public bool Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        ref int slot = ref Find(key);
        if (slot == Empty)
        {
            slot = _met.Count;
            _met.Add(false);
            if (_chunks.Count * (long)_chunkEntries < _met.Count)
            {
                _chunks.Add(new byte[_chunkEntries * _entrySize]);
            }

            key.CopyTo(EntryAt(slot));
            value.CopyTo(EntryAt(slot)[_keySize..]);
            GrowAtHalf();
            return true;
        }

        value.CopyTo(EntryAt(slot)[_keySize..]);
        return false;
    }

    /// <summary>Finds a key's value, and marks it as met.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Its value.</param>
    /// <param name="again">Whether it was met before.</param>
    public bool TryMeet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out bool again)
    {
        int entry = Find(key);
        if (entry == Empty)
        {
            value = default;
            again = false;
            return false;
        }

        again = _met[entry];
        _met[entry] = true;
        value = EntryAt(entry)[_keySize..];
        return true;
    }

    /// <summary>Hands over the entries that were never met, in the order in which they came.</summary>
    public void ForEachUnmet(Action<ReadOnlySpan<byte>, ReadOnlySpan<byte>> handle)
    {
        for (int i = 0; i < _met.Count; i++)
        {
            if (!_met[i])
            {
                Span<byte> entry = EntryAt(i);
                handle(entry[.._keySize], entry[_keySize..]);
            }
        }
    }

    /// <summary>Takes all entries out, and keeps their memory for the next ones.</summary>
    public void Clear()
    {
        _met.Clear();
        _slots.AsSpan().Fill(Empty);
    }

    private static int[] NewSlots(int count)
    {
        int[] slots = new int[count];
        slots.AsSpan().Fill(Empty);
        return slots;
    }

    private Span<byte> EntryAt(int entry) => _chunks[entry / _chunkEntries].AsSpan(entry % _chunkEntries * _entrySize, _entrySize);

    // The slot of the key, or the empty one where it would be.
    private ref int Find(ReadOnlySpan<byte> key)
    {
        HashCode hash = default;
        hash.AddBytes(key);
        for (int i = hash.ToHashCode() & (_slots.Length - 1); ; i = (i + 1) & (_slots.Length - 1))
        {
            if (_slots[i] == Empty || EntryAt(_slots[i])[.._keySize].SequenceEqual(key))
            {
                return ref _slots[i];
            }
        }
    }

    private void GrowAtHalf()
    {
        if (_met.Count * 2L <= _slots.Length)
        {
            return;
        }

        _slots = NewSlots(_slots.Length * 2);
        for (int i = 0; i < _met.Count; i++)
        {
            Find(EntryAt(i)[.._keySize]) = i;
        }
    }
}
