namespace BpfRemote.Cli.Entries;

/// <summary>How entries are shown to people.</summary>
internal sealed record Display
{
    /// <summary>Columns that fit on a line.</summary>
    public required int Width { get; init; }

    /// <summary>Whether titles may be bold and names dim.</summary>
    public required bool Colour { get; init; }

    /// <summary>Whether addresses and network order stay the numbers that they are.</summary>
    public bool RawValues { get; init; }

    /// <summary>What becomes of a value that every CPU has.</summary>
    public PerCpuMode PerCpu { get; init; }

    /// <summary>Of what the keys of a map are slots; null where they are keys like any other.</summary>
    public SlotScale? Histogram { get; init; }
}

/// <summary>What becomes of a value that every CPU has.</summary>
internal enum PerCpuMode
{
    /// <summary>Each is shown.</summary>
    Each,

    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>The largest of each number.</summary>
    Max,
}
