using BpfRemote.Cli.Output;
using BpfRemote.Client;

namespace BpfRemote.Cli;

/// <summary>What the options say that every command has.</summary>
/// <param name="Agent">Where the agent is, and who the caller is to it.</param>
/// <param name="Format">The form of the results.</param>
/// <param name="JsonStyle">How JSON is laid out.</param>
/// <param name="ShowReferences">Whether to show pinned paths, programs and owners.</param>
internal sealed record Settings(BpfRemoteClientOptions Agent, OutputFormat Format, JsonStyle JsonStyle, bool ShowReferences)
{
    /// <summary>Where kernels' types are kept for the next run; null where there is no place for them.</summary>
    public string? BtfCacheDirectory { get; } = CacheHome() is { } home ? Path.Combine(home, "bpfremote") : null;

    // As the XDG base directory specification has it.
    private static string? CacheHome() =>
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is ['/', ..] cache ? cache
        : Environment.GetEnvironmentVariable("HOME") is ['/', ..] home ? Path.Combine(home, ".cache")
        : null;
}
