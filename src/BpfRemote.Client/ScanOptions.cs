using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>How to scan a map.</summary>
public sealed record ScanOptions
{
    /// <summary>
    /// The most entries in one batch; 0 (default) leaves it to the agent. A hash bucket is never split: a batch exceeds this only
    /// where its first bucket alone is larger.
    /// </summary>
    public uint BatchSize { get; init; }

    /// <summary>
    /// About how many entries to read before the scan stops; 0 (default) reads to the end. The scan ends before the hash bucket
    /// that would exceed this, so it may return fewer, or more where a bucket alone is larger.
    /// </summary>
    public ulong Limit { get; init; }

    /// <summary>How hard to drive the node. Default: gentle.</summary>
    public Pace Pace { get; init; }

    /// <summary>What of each entry to send. Default: keys and values.</summary>
    public Include Include { get; init; }

    /// <summary>
    /// <see cref="MapBatch.ContinuationToken"/> of the batch to continue after, from this client or another;
    /// <see langword="null"/> (default) or empty begins the scan.
    /// </summary>
    public string? ContinuationToken { get; init; }

    /// <summary>Is told, before the wait, each time the scan is about to be tried again; for a user who watches.</summary>
    public Action<ScanResume>? OnResume { get; init; }
}

/// <summary>A scan was interrupted and is about to continue.</summary>
/// <param name="Try">The number of this try since the scan last received something, from 1.</param>
/// <param name="Delay">The wait before this try.</param>
/// <param name="Cause">What interrupted the scan.</param>
public sealed record ScanResume(int Try, TimeSpan Delay, BpfRemoteException Cause);
