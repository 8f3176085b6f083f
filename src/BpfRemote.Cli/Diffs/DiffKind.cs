namespace BpfRemote.Cli.Diffs;

/// <summary>How an entry differs.</summary>
internal enum DiffKind
{
    /// <summary>It is on the new side only.</summary>
    Added,

    /// <summary>It is on the old side only.</summary>
    Removed,

    /// <summary>Its value is another.</summary>
    Changed,
}
