using System.Security.Cryptography;
using BpfRemote.Agent.Access.Bearer;
using BpfRemote.Agent.Access.Policy;
using BpfRemote.Agent.Access.Tls;
using BpfRemote.Agent.Files;

namespace BpfRemote.Agent.Hosting;

/// <summary>What the files of valid options say of who may call: read at the start, where a mistake in one of them ends it, and looked
/// at again and again.</summary>
internal sealed class AccessFiles
{
    private readonly List<IReloadedFile> _all = [];

    /// <param name="options">Valid options.</param>
    /// <param name="time">The clock that tokens expire by.</param>
    /// <param name="log">Where changes are reported.</param>
    /// <exception cref="AccessFileException">A file cannot be read, or not be used.</exception>
    public AccessFiles(AgentOptions options, TimeProvider time, ILogger<AccessFiles> log)
    {
        if (options is { TlsCertFile: { } certificate, TlsKeyFile: { } key })
        {
            string[] paths = options.TlsClientCaFile is { } authorities ? [certificate, key, authorities] : [certificate, key];
            Tls = Load(paths, files => TlsMaterial.Read(files, isCertificateRequired: options.BearerTokens.Count == 0), log);
        }

        if (options.PolicyFile is { } policy)
        {
            Policy = Load([policy], files => DemandAudit(PolicyReader.Read(files[0]), options), log);
        }

        Tokens = new([.. options.BearerTokens.Select(issuer =>
            new TokenIssuer(issuer, Load([issuer.JwksFile], files => TokenIssuer.ReadKeys(files[0]), log), time))]);
    }

    /// <summary>What TLS listeners serve with; null where there is none.</summary>
    public ReloadedFile<TlsMaterial>? Tls { get; }

    /// <summary>The policy; null where there is no file.</summary>
    public ReloadedFile<AccessPolicy>? Policy { get; }

    /// <summary>The bearer tokens that are taken.</summary>
    public BearerTokens Tokens { get; }

    /// <summary>All of the files.</summary>
    public IReadOnlyList<IReloadedFile> All => _all;

    private static AccessPolicy DemandAudit(AccessPolicy policy, AgentOptions options) =>
        policy.AuditRequired && options.AuditLog is null
            ? throw new PolicyException(["the policy requires an audit log, and the agent has none; give --audit-log"])
            : policy;

    private ReloadedFile<T> Load<T>(string[] paths, Func<byte[][], T> parse, ILogger log)
        where T : class
    {
        try
        {
            ReloadedFile<T> file = new(paths, parse, log);
            _all.Add(file);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or PolicyException or FormatException)
        {
            throw new AccessFileException($"{string.Join(", ", paths)}: {e.Message}", e);
        }
    }
}

/// <summary>A file that says who may call cannot be used.</summary>
internal sealed class AccessFileException(string message, Exception cause) : Exception(message, cause);
