using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>What to put into a bundle.</summary>
public sealed record BundleOptions
{
    /// <summary>The ids of the maps whose entries to put in; <see langword="null"/> (default) for every map.</summary>
    public IReadOnlySet<uint>? MapIds { get; init; }

    /// <summary>Whether to put in entries at all, or only what describes the node and its maps. Default: <see langword="true"/>.</summary>
    public bool WithEntries { get; init; } = true;

    /// <summary>The most entries of one map. Default: 1,000,000.</summary>
    public ulong MaxEntriesPerMap { get; init; } = 1_000_000;

    /// <summary>The most bytes of keys and values of one map. Default: 64 MiB.</summary>
    public ulong MaxBytesPerMap { get; init; } = 64 << 20;

    /// <summary>The most bytes of keys and values of all maps; the file is compressed, so mostly smaller. Default: 512 MiB.</summary>
    public ulong MaxTotalBytes { get; init; } = 512 << 20;

    /// <summary>
    /// Globs of names, in any case, whose maps' entries stay out: the map's own name, or the last part of a path where it is pinned.
    /// Default: <see cref="DefaultDeny"/>.
    /// </summary>
    public IReadOnlyList<string> Deny { get; init; } = DefaultDeny;

    /// <summary>Names that smell of secrets. Kernel names end after 15 bytes, so these are short.</summary>
    public static IReadOnlyList<string> DefaultDeny { get; } =
    [
        "*secret*", "*passw*", "*token*", "*cred*", "*priv*key*", "*api*key*", "*crypt*", "*ssl*", "*tls*", "*auth*", "*cookie*",
    ];

    /// <summary>How hard to drive the node. Default: gentle.</summary>
    public Pace Pace { get; init; }

    /// <summary>Is told when a map is done with, for a user who watches.</summary>
    public Action<BundleMap>? OnMap { get; init; }

    /// <summary>As <see cref="ScanOptions.OnResume"/>.</summary>
    public Action<ScanResume>? OnResume { get; init; }

    /// <summary>Tells when the bundle is made. Default: the system's clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
