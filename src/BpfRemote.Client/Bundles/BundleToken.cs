using System.Globalization;

namespace BpfRemote.Client;

/// <summary>Where a scan of a bundle continues.</summary>
/// <param name="BundleId">In which bundle.</param>
/// <param name="MapId">In which map.</param>
/// <param name="Position">After how many entries.</param>
internal readonly record struct BundleToken(string BundleId, uint MapId, ulong Position)
{
    private const string Prefix = "bundle";

    /// <summary>Reads a token; <see langword="null"/> where it is none.</summary>
    public static BundleToken? TryParse(string text) =>
        text.Split('-') is [Prefix, var bundle, var map, var position]
        && uint.TryParse(map, NumberStyles.None, CultureInfo.InvariantCulture, out uint mapId)
        && ulong.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out ulong entries)
            ? new(bundle, mapId, entries)
            : null;

    public override string ToString() => $"{Prefix}-{BundleId}-{MapId}-{Position}";
}
