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

    /// <summary>The environment variable that <see cref="FromEnvironment"/> reads <see cref="TlsCertificateFile"/> from.</summary>
    public const string TlsCertificateFileVariable = "BPFREMOTE_TLS_CERT_FILE";

    /// <summary>The environment variable that <see cref="FromEnvironment"/> reads <see cref="TlsKeyFile"/> from.</summary>
    public const string TlsKeyFileVariable = "BPFREMOTE_TLS_KEY_FILE";

    /// <summary>The environment variable that <see cref="FromEnvironment"/> reads <see cref="TlsCaFile"/> from.</summary>
    public const string TlsCaFileVariable = "BPFREMOTE_TLS_CA_FILE";

    /// <summary>The environment variable that <see cref="FromEnvironment"/> reads <see cref="TlsServerName"/> from.</summary>
    public const string TlsServerNameVariable = "BPFREMOTE_TLS_SERVER_NAME";

    /// <summary>The environment variable that <see cref="FromEnvironment"/> reads <see cref="TokenFile"/> from.</summary>
    public const string TokenFileVariable = "BPFREMOTE_TOKEN_FILE";

    /// <summary>
    /// The agent's address: <c>unix:///path</c>, <c>https://host:port</c>, or <c>http://127.0.0.1:port</c> (loopback only, and
    /// only with <see cref="Plaintext"/>); or <c>file:PATH</c>, absolute or relative and taken as it is, to read a
    /// <see cref="Bundle"/> instead. Default: <see cref="DefaultAddress"/>.
    /// </summary>
    public string Address { get; init; } = DefaultAddress;

    /// <summary>Whether to accept an address without encryption. Default: <see langword="false"/>.</summary>
    public bool Plaintext { get; init; }

    /// <summary>
    /// The PEM file of the certificate that says who the caller is, followed by its intermediates, which are sent too; with
    /// <see cref="TlsKeyFile"/>. For <c>https:</c> only, as all these files, and read for each new connection, so that replaced files
    /// count from then on. Default: none.
    /// </summary>
    public string? TlsCertificateFile { get; init; }

    /// <summary>The PEM file of that certificate's private key, not encrypted. Default: none.</summary>
    public string? TlsKeyFile { get; init; }

    /// <summary>
    /// The PEM file of the roots that the agent's certificate must come from, instead of the system's; it may hold intermediates too.
    /// Nothing is downloaded. Default: the system's roots.
    /// </summary>
    public string? TlsCaFile { get; init; }

    /// <summary>The name that the agent's certificate must have, and that is sent as SNI. Default: the host of the address.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>
    /// The file of a bearer token that is sent with every call, as <c>authorization: Bearer …</c>, without the white space around it.
    /// Read for each call, so that a token that rotates is always the current one; sent over <c>https:</c> only. Default: none.
    /// </summary>
    public string? TokenFile { get; init; }

    /// <summary>
    /// Where to keep the kernels' BTF, some 5 MB each, for the next client; <see langword="null"/> (default) keeps it in memory only.
    /// </summary>
    public string? BtfCacheDirectory { get; init; }

    /// <summary>The time one attempt to connect may take, until the agent answers. Default: 5 s.</summary>
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

    /// <summary>
    /// The defaults, with <see cref="Address"/> from <c>BPFREMOTE_ADDRESS</c>, and for an <c>https:</c> address who the caller is and whom
    /// it trusts from <c>BPFREMOTE_TLS_CERT_FILE</c>, <c>…_TLS_KEY_FILE</c>, <c>…_TLS_CA_FILE</c>, <c>…_TLS_SERVER_NAME</c> and
    /// <c>BPFREMOTE_TOKEN_FILE</c>, where they are set. For other addresses these are not used: an environment is for several agents.
    /// </summary>
    /// <param name="address">An address to use instead of the environment's.</param>
    /// <returns>The options.</returns>
    public static BpfRemoteClientOptions FromEnvironment(string? address = null)
    {
        BpfRemoteClientOptions options = new() { Address = address ?? Variable(AddressVariable) ?? DefaultAddress };
        return !options.IsHttps ? options : options with
        {
            TlsCertificateFile = Variable(TlsCertificateFileVariable),
            TlsKeyFile = Variable(TlsKeyFileVariable),
            TlsCaFile = Variable(TlsCaFileVariable),
            TlsServerName = Variable(TlsServerNameVariable),
            TokenFile = Variable(TokenFileVariable),
        };
    }

    private bool IsHttps => Address.StartsWith("https:", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="ArgumentException">What says who the caller is cannot be used, with this address or at all.</exception>
    internal void CheckIdentity()
    {
        if (!IsHttps && (TlsCertificateFile ?? TlsKeyFile ?? TlsCaFile ?? TlsServerName) is not null)
        {
            throw new ArgumentException($"TLS files and a TLS server name are for https addresses only, not for '{Address}'.");
        }

        if (!IsHttps && TokenFile is not null)
        {
            throw new ArgumentException($"A token is sent over https only, never to '{Address}'.");
        }

        if (TlsCertificateFile is null != TlsKeyFile is null)
        {
            throw new ArgumentException("A TLS certificate file and a TLS key file go together: one of them is missing.");
        }
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
