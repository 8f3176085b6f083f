using BpfRemote.Cli.Entries;

namespace BpfRemote.Cli.Top;

/// <summary>What entries are compared by, how often, and how many are shown.</summary>
internal sealed record TopOptions
{
    /// <summary>The field of the value, dotted; null for the one that people most likely mean.</summary>
    public string? Field { get; init; }

    /// <summary>Whether the largest numbers are wanted; else those that grow the fastest.</summary>
    public bool ByValue { get; init; }

    /// <summary>The time from the beginning of a refresh to that of the next, where the node is not spared more.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>How many entries are shown; null for as many as are seen at once.</summary>
    public int? Limit { get; init; }

    /// <summary>The refreshes after which to end; null for none.</summary>
    public ulong? Count { get; init; }

    /// <summary>What becomes of a value that every CPU has.</summary>
    public PerCpuMode PerCpu { get; init; } = PerCpuMode.Sum;

    /// <summary>Whether addresses and network order stay the numbers that they are.</summary>
    public bool RawValues { get; init; }
}
