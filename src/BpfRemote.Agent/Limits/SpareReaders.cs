namespace BpfRemote.Agent.Limits;

/// <summary>Lends second readers to calls at full pace: a few in all, and fewer than the node has CPUs.</summary>
/// <param name="cpus">CPUs of the node.</param>
internal sealed class SpareReaders(int cpus)
{
    /// <summary>Second readers at once at most.</summary>
    public const int Most = 2;

    private int _free = Math.Min(cpus - 1, Most);

    /// <summary>Takes one where one is left.</summary>
    public bool TryTake()
    {
        if (Interlocked.Decrement(ref _free) >= 0)
        {
            return true;
        }

        Return();
        return false;
    }

    /// <summary>Gives one back.</summary>
    public void Return() => Interlocked.Increment(ref _free);
}
