using System.Text.Json;
using System.Text.Json.Serialization;
using BpfRemote.Agent.Access.Bearer;
using BpfRemote.Agent.Hosting;
using BpfRemote.Agent.Limits;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent;

/// <summary>How the agent runs. A configuration file is this record as JSON, with camelCase names; the command line goes before it.</summary>
/// <remarks>Properties have setters because generated JSON code gives an init-only one that the file lacks the type's default, not
/// the one written here.</remarks>
public sealed record AgentOptions
{
    /// <summary>The endpoint where nothing else is said.</summary>
    public const string DefaultEndpoint = "unix:///run/bpfremote/agent.sock";

    /// <summary>The word for the journal in <see cref="AuditLog"/>.</summary>
    public const string Journal = "journald";

    /// <summary>Where to listen: <c>unix:///path</c>, <c>https://ip:port</c>, or <c>http://127.0.0.1:port</c> with
    /// <see cref="Plaintext"/>; port 0 for any. What strangers can reach needs a policy. Default: <see cref="DefaultEndpoint"/>.</summary>
    public IReadOnlyList<string> Listen { get; set; } = [DefaultEndpoint];

    /// <summary>Whether plain HTTP may be served on loopback: every local user can reach it then. Default: false.</summary>
    public bool Plaintext { get; set; }

    /// <summary>The certificate of the TLS listeners, its intermediates after it: PEM. Read anew when it changes.</summary>
    public string? TlsCertFile { get; set; }

    /// <summary>The private key of the certificate: PEM. Read anew when it changes.</summary>
    public string? TlsKeyFile { get; set; }

    /// <summary>The authorities whose client certificates are taken: PEM. Read anew when it changes. Default: no client has one.</summary>
    public string? TlsClientCaFile { get; set; }

    /// <summary>The issuers whose bearer tokens are taken over TLS. Default: none.</summary>
    public IReadOnlyList<TokenIssuerOptions> BearerTokens { get; set; } = [];

    /// <summary>The policy: who may do what with which maps. Read anew when it changes. Default: root over the unix socket may do
    /// everything, nobody else anything.</summary>
    public string? PolicyFile { get; set; }

    /// <summary>Where audit lines go: a file, or <c>journald</c>. Default: nowhere.</summary>
    public string? AuditLog { get; set; }

    /// <summary>Whether to serve an in-memory kernel with sample maps in place of the real one. Default: false.</summary>
    public bool Simulate { get; set; }

    /// <summary>Which maps there are for the agent: all of them, by id, or the pinned ones, which takes no capability.
    /// Default: enumerate.</summary>
    public MapAccess Access { get; set; } = MapAccess.Enumerate;

    /// <summary>The user that the server runs as, where the agent is started with the right to choose one. Default: bpfremote where
    /// there is such a user, else nobody.</summary>
    public string? User { get; set; }

    /// <summary>Whether to stay one process with all its privileges and without a filter of system calls: for debugging.
    /// Default: false.</summary>
    public bool NoLockdown { get; set; }

    /// <summary>What the broker that started this process handed down; null for a process of its own.</summary>
    [JsonIgnore]
    public InheritedFiles? Inherited { get; set; }

    /// <summary>Where the token keys are kept, over restarts and not over a reboot. Default: $RUNTIME_DIRECTORY, else /run/bpfremote;
    /// with <see cref="Simulate"/> a directory of the user's.</summary>
    public string? RuntimeDirectory { get; set; }

    /// <summary>The limits. Each has its unit, range and default.</summary>
    public AgentLimits Limits { get; set; } = new();

    /// <summary>The runtime directory in force.</summary>
    public string ResolveRuntimeDirectory() =>
        RuntimeDirectory
        ?? Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY")?.Split(':')[0]
        ?? (Simulate
            ? Path.Combine(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? Path.GetTempPath(), $"bpfremote-{Environment.UserName}")
            : "/run/bpfremote");

    /// <summary>The directory of the token keys: it belongs to the user that the server runs as, and to nobody else.</summary>
    public string ResolveKeyDirectory() => Path.Combine(ResolveRuntimeDirectory(), "keys");

    /// <summary>Everything wrong with these options; empty for nothing.</summary>
    public IReadOnlyList<string> Violations()
    {
        List<string> violations = [.. Limits.Violations()];
        if (Listen.Count == 0)
        {
            violations.Add("listen is empty; expected at least one endpoint");
        }

        if (!Enum.IsDefined(Access))
        {
            violations.Add($"access is {Access}; expected enumerate or pins");
        }

        List<ListenEndpoint> endpoints = [];
        foreach (string text in Listen)
        {
            if (ListenEndpoint.TryParse(text, Plaintext, out string error) is { } endpoint)
            {
                endpoints.Add(endpoint);
            }
            else
            {
                violations.Add(error);
            }
        }

        violations.AddRange(BearerTokens.SelectMany((issuer, i) => issuer.Violations($"bearerTokens[{i}]")));
        violations.AddRange(BearerTokens.GroupBy(issuer => issuer.Issuer).Where(same => same.Count() > 1)
            .Select(same => $"bearerTokens has the issuer '{same.Key}' {same.Count()} times; expected once"));
        violations.AddRange(IdentityViolations(endpoints));
        return violations;
    }

    /// <summary>What is missing for those who can reach the endpoints to be told apart.</summary>
    private IEnumerable<string> IdentityViolations(List<ListenEndpoint> endpoints)
    {
        bool hasTls = endpoints.OfType<TlsEndpoint>().Any();
        if (hasTls && (TlsCertFile is null || TlsKeyFile is null))
        {
            yield return "listening on https:// takes a certificate and its key; give --tls-cert-file and --tls-key-file";
        }

        if (hasTls && TlsClientCaFile is null && BearerTokens.Count == 0)
        {
            yield return "listening on https:// takes a way to tell clients apart; give --tls-client-ca-file, or bearerTokens in --config";
        }

        if (!hasTls && ((TlsCertFile ?? TlsKeyFile ?? TlsClientCaFile) is not null || BearerTokens.Count > 0))
        {
            yield return "TLS files or bearerTokens are given and no endpoint is https://; give --listen https://ip:port";
        }

        if (!Simulate && PolicyFile is null && endpoints.Any(endpoint => endpoint is not UnixEndpoint))
        {
            yield return "listening beyond the unix socket takes a policy of who may read what; give --policy-file";
        }
    }

    /// <summary>Reads a configuration file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="JsonException">It is no such JSON, or has a name that is no option.</exception>
    public static AgentOptions Load(string path)
    {
        AgentOptions options = JsonSerializer.Deserialize(File.ReadAllText(path), AgentOptionsJson.Default.AgentOptions)
            ?? throw new JsonException("expected an object");
        return !options.Listen.Contains(null!) && !options.BearerTokens.Contains(null!)
            ? options
            : throw new JsonException("listen or bearerTokens holds null; expected endpoints and issuers");
    }
}

/// <summary>The JSON of a configuration file.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(AgentOptions))]
internal sealed partial class AgentOptionsJson : JsonSerializerContext;
