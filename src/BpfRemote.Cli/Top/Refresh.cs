namespace BpfRemote.Cli.Top;

/// <summary>What one scan has found.</summary>
internal sealed record Refresh
{
    /// <summary>The map.</summary>
    public required TopMap Map { get; init; }

    /// <summary>When the scan ended, in UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The first entries, the very first one first.</summary>
    public required IReadOnlyList<TopEntry> Entries { get; init; }

    /// <summary>How many entries the map has.</summary>
    public required int Total { get; init; }

    /// <summary>How many of them the scan before did not have; null where there was none.</summary>
    public required int? Added { get; init; }

    /// <summary>How many that the scan before had are gone.</summary>
    public required int Gone { get; init; }

    /// <summary>Time that the scan has spent in the node's kernel.</summary>
    public required TimeSpan KernelTime { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Whether there was a scan before, so that what has grown is known.</summary>
    public bool HasRates => Added is not null;
}
