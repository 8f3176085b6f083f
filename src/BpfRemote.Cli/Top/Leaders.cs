namespace BpfRemote.Cli.Top;

/// <summary>The first few of many entries: only theirs are kept, and nothing else is sorted.</summary>
/// <param name="limit">How many.</param>
internal sealed class Leaders(int limit)
{
    private readonly PriorityQueue<TopEntry, Rank> _entries = new();

    /// <summary>Whether an entry of this rank is among the first of those seen so far.</summary>
    public bool Takes(Rank rank) => _entries.Count < limit || (_entries.TryPeek(out _, out Rank last) && rank.CompareTo(last) > 0);

    /// <summary>Puts an entry in, and the last one out where they are too many.</summary>
    public void Add(TopEntry entry, Rank rank)
    {
        if (_entries.Count < limit)
        {
            _entries.Enqueue(entry, rank);
        }
        else
        {
            _entries.EnqueueDequeue(entry, rank);
        }
    }

    /// <summary>Takes the entries out, the first one first.</summary>
    public TopEntry[] TakeAll()
    {
        TopEntry[] entries = new TopEntry[_entries.Count];
        for (int i = entries.Length; i-- > 0;)
        {
            entries[i] = _entries.Dequeue();
        }

        return entries;
    }
}
