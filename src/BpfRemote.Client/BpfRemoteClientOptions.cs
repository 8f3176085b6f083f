namespace BpfRemote.Client;

/// <summary>Where the agent is, and how patiently to talk to it.</summary>
public sealed record BpfRemoteClientOptions
{
    /// <summary>The address where an agent listens unless told otherwise.</summary>
    public const string DefaultAddress = "unix:///run/bpfremote/agent.sock";

    /// <summary>What the address of a bundle begins with.</summary>
    public const string BundleScheme = "file:";

    /// <summary>The environment variable that <see cref="FromEnvironment"/> reads <see cref="Address"/> from.</summary>
    public const string AddressVariable = "BPFREMOTE_ADDRESS";

    /// <summary>
    /// The agent's address: <c>unix:///path</c>, <c>https://host:port</c>, or <c>http://127.0.0.1:port</c> (loopback only, and
    /// only with <see cref="Plaintext"/>); or <c>file:PATH</c>, absolute or relative and taken as it is, to read a
    /// <see cref="Bundle"/> instead. Default: <see cref="DefaultAddress"/>.
    /// </summary>
    public string Address { get; init; } = DefaultAddress;

    /// <summary>Whether to accept an address without encryption. Default: <see langword="false"/>.</summary>
    public bool Plaintext { get; init; }

    /// <summary>
    /// Where to keep the kernels' BTF, some 5 MB each, for the next client; <see langword="null"/> (default) keeps it in memory only.
    /// </summary>
    public string? BtfCacheDirectory { get; init; }

    /// <summary>The time one attempt to connect may take. Default: 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often in a row a scan is tried again without receiving anything new before it fails; 0 never tries again.
    /// Default: 10, which with the default back-off outlasts an agent that is away for 20 s.
    /// </summary>
    public int MaxTriesWithoutProgress { get; init; } = 10;

    /// <summary>The wait before a scan's first new try, doubled for each further, varied by 20 %. Default: 100 ms.</summary>
    public TimeSpan InitialBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>What that wait grows to. Default: 5 s. An agent that asks for a longer one gets up to 5 min.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What measures those waits. Default: the system's clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>The defaults, with <see cref="Address"/> from <c>BPFREMOTE_ADDRESS</c> where it is set.</summary>
    /// <returns>The options.</returns>
    public static BpfRemoteClientOptions FromEnvironment() => new()
    {
        Address = Environment.GetEnvironmentVariable(AddressVariable) is { Length: > 0 } address ? address : DefaultAddress,
    };
}
