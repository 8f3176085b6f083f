namespace BpfRemote.Agent.Limits;

/// <summary>Gives memory back to the node once evicted clients have left: a process that rests collects nothing by itself.</summary>
internal sealed class MemoryRelease : IDisposable
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    private readonly ITimer _timer;

    public MemoryRelease(TimeProvider time) =>
        _timer = time.CreateTimer(_ => Release(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>A client was evicted: memory is released when none has been for a while.</summary>
    public void Expect() => _timer.Change(Quiet, Timeout.InfiniteTimeSpan);

    public void Dispose() => _timer.Dispose();

    /// <summary>As much as can be: blocks every thread for some milliseconds, at most once in the quiet time.</summary>
    private static void Release() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
}
