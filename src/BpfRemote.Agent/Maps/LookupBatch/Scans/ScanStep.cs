namespace BpfRemote.Agent.Maps.LookupBatch.Scans;

/// <summary>How one step of a scan ended.</summary>
internal enum ScanStep
{
    /// <summary>The scan moved on; there may be more.</summary>
    Advanced,

    /// <summary>The next hash bucket has more entries than there is room for, and must not be split.</summary>
    NoRoom,

    /// <summary>The scan is complete; what the step read still counts.</summary>
    Completed,
}

/// <summary>How many entries a step may read.</summary>
/// <param name="Step">Entries to read at once: small native calls disturb the node less and are no slower.</param>
/// <param name="Fit">Entries that still fit the response and the call.</param>
/// <param name="Max">Entries the next bucket may have where it alone exceeds <paramref name="Fit"/>.</param>
internal readonly record struct Room(int Step, int Fit, int Max);
