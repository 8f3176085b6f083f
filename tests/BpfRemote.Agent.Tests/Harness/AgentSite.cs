using System.Security.Cryptography.X509Certificates;
using BpfRemote.Agent.Access.Bearer;
using BpfRemote.Agent.Hosting;
using BpfRemote.Libbpf;
using BpfRemote.Simulation;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BpfRemote.Agent.Tests.Harness;

/// <summary>Where an agent runs in this process: its maps, its clock, and the files that say who may call.</summary>
internal sealed class AgentSite : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-site-");

    public AgentSite()
    {
        Maps = new(new SimulatedNode(), Time);
        Issuer = new(Time);
        using X509Certificate2 server = ServerAuthority.Issue(CertificateWish.Server("first"));
        WriteServerCertificate(server);
        WriteAuthorities(ClientAuthority);
        Options = new()
        {
            Listen = ["https://127.0.0.1:0", $"unix://{SocketPath}"],
            TlsCertFile = PathOf("server.pem"),
            TlsKeyFile = PathOf("server.key"),
            TlsClientCaFile = PathOf("authorities.pem"),
            RuntimeDirectory = _directory.FullName,
            Simulate = true,
        };
    }

    /// <summary>The agent's clock; it begins at the time of day, which certificates go by.</summary>
    public FakeTimeProvider Time { get; } = new(TimeProvider.System.GetUtcNow());

    /// <summary>The maps that the agent serves.</summary>
    public SimulatedMapSource Maps { get; }

    /// <summary>Whose clients the agent takes.</summary>
    public TestAuthority ClientAuthority { get; } = TestAuthority.Create("clients");

    /// <summary>Who issues the agent's certificate.</summary>
    public TestAuthority ServerAuthority { get; } = TestAuthority.Create("servers");

    /// <summary>Whose tokens the agent takes, where it takes some.</summary>
    public TestIssuer Issuer { get; }

    /// <summary>How the agent is to run; at first with client certificates and without a policy.</summary>
    public AgentOptions Options { get; set; }

    /// <summary>Where audit lines go, where some do.</summary>
    public string AuditPath => PathOf("audit.log");

    /// <summary>The agent's unix socket.</summary>
    public string SocketPath => PathOf("agent.sock");

    /// <summary>A path here.</summary>
    public string PathOf(string name) => Path.Combine(_directory.FullName, name);

    /// <summary>Writes the agent's certificate and key.</summary>
    public void WriteServerCertificate(X509Certificate2 certificate)
    {
        File.WriteAllText(PathOf("server.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(PathOf("server.key"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Writes whose clients the agent takes.</summary>
    public void WriteAuthorities(params IEnumerable<TestAuthority> authorities) =>
        File.WriteAllLines(PathOf("authorities.pem"), authorities.Select(authority => authority.Certificate.ExportCertificatePem()));

    /// <summary>Writes the policy, and has the agent use one.</summary>
    public void WritePolicy(string json)
    {
        File.WriteAllText(PathOf("policy.json"), json);
        Options.PolicyFile = PathOf("policy.json");
    }

    /// <summary>Has the agent write an audit log.</summary>
    public void WriteAudit() => Options.AuditLog = AuditPath;

    /// <summary>Has the agent take the issuer's tokens.</summary>
    /// <param name="groupsClaims">Claims that name groups.</param>
    public void TakeTokens(params IReadOnlyList<string> groupsClaims)
    {
        WriteKeys(Issuer);
        Options.BearerTokens =
        [
            new TokenIssuerOptions
            {
                Issuer = Issuer.Name,
                Audience = TestIssuer.Audience,
                JwksFile = PathOf("keys.json"),
                GroupsClaims = groupsClaims,
            },
        ];
    }

    /// <summary>Writes whose signatures count as the issuer's.</summary>
    public void WriteKeys(params IEnumerable<TestIssuer> issuers) =>
        File.WriteAllText(PathOf("keys.json"), TestIssuer.KeySet(issuers.Select(issuer => issuer.PublicKey)));

    /// <summary>Makes a hash map of 4-byte keys and 8-byte values.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="entries">How many entries it has.</param>
    /// <param name="pin">Where it is pinned; null for nowhere.</param>
    public SimulatedMap AddMap(string name, int entries = 1, string? pin = null)
    {
        SimulatedMap map = Maps.CreateMap(new(BpfMapType.Hash, name, KeySize: 4, ValueSize: 8, MaxEntries: (uint)Math.Max(entries, 1)));
        for (int i = 0; i < entries; i++)
        {
            Assert.Equal(Errno.None, map.Update(BitConverter.GetBytes(i), BitConverter.GetBytes((long)i)));
        }

        if (pin is not null)
        {
            Maps.Pin(pin, map);
        }

        return map;
    }

    /// <summary>Starts the agent.</summary>
    public async Task<RunningAgent> StartAsync()
    {
        Assert.Empty(Options.Violations());
        WebApplication agent = AgentHost.Build(Options, Maps, Time);
        CollectedLog log = new();
        agent.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        await agent.StartAsync(TestContext.Current.CancellationToken);
        return new(agent, ServerAuthority.Certificate.Subject, SocketPath, log);
    }

    public void Dispose()
    {
        ClientAuthority.Dispose();
        ServerAuthority.Dispose();
        Issuer.Dispose();
        _directory.Delete(recursive: true);
    }
}
