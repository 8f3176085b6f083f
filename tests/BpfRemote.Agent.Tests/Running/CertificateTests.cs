using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using BpfRemote.Agent.Access.Tls;
using BpfRemote.Agent.Files;
using BpfRemote.Agent.Hosting;
using BpfRemote.Agent.Tests.Harness;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace BpfRemote.Agent.Tests.Running;

/// <summary>Clients of a running agent, by their certificates.</summary>
public sealed class CertificateTests : IDisposable
{
    private const string Dashboard = "spiffe://example.org/dashboard";
    private const string AnyUsage = "2.5.29.37.0";

    private readonly AgentSite _site = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Certificates of the authority that the agent trusts, and what its log says of them.</summary>
    internal static Dictionary<string, (CertificateWish Wish, string Reason)> BadWishes { get; } = new()
    {
        ["for servers"] = (CertificateWish.Client(Dashboard) with { Usages = [CertificateWish.ServerAuthentication] }, "NotValidForUsage"),
        ["for any usage"] = (CertificateWish.Client(Dashboard) with { Usages = [AnyUsage] }, "NotValidForUsage"),
        ["for no usage in particular"] = (CertificateWish.Client(Dashboard) with { Usages = [] }, "no client authentication"),
        ["expired"] = (CertificateWish.Client(Dashboard) with { ValidTo = TimeSpan.FromMinutes(-1) }, "NotTimeValid"),
        ["not yet valid"] = (CertificateWish.Client(Dashboard) with { ValidFrom = TimeSpan.FromMinutes(30) }, "NotTimeValid"),
        ["without alternative names"] = (new CertificateWish { CommonName = Dashboard }, "no URI or DNS name"),
    };

    public static TheoryData<string> Bad => [.. BadWishes.Keys];

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task One_that_is_not_a_clients_is_refused_and_the_log_says_why(string what)
    {
        (CertificateWish wish, string reason) = BadWishes[what];
        await using RunningAgent agent = await _site.StartAsync();

        await AssertRefusedAsync(agent, _site.ClientAuthority.Issue(wish), reason);
    }

    [Fact]
    public async Task One_of_another_authority_is_refused()
    {
        // Of the same name, so that only the key tells them apart, and the authority of the agent's own certificate.
        using TestAuthority impostor = TestAuthority.Create("clients");
        await using RunningAgent agent = await _site.StartAsync();

        foreach (TestAuthority other in (TestAuthority[])[impostor, _site.ServerAuthority])
        {
            await AssertRefusedAsync(agent, other.Issue(CertificateWish.Client(Dashboard)), "not one of a client of the authorities");
        }
    }

    [Fact]
    public async Task One_that_signs_itself_is_refused()
    {
        using System.Security.Cryptography.ECDsa key = System.Security.Cryptography.ECDsa.Create();
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate =
            CertificateWish.Client(Dashboard).Request(key).CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
        await using RunningAgent agent = await _site.StartAsync();

        await AssertRefusedAsync(agent, certificate, "not one of a client of the authorities");
    }

    [Fact]
    public async Task Without_one_a_client_is_refused()
    {
        await using RunningAgent agent = await _site.StartAsync();

        await AssertRefusedAsync(agent, certificate: null, "it has no certificate");
    }

    [Fact]
    public async Task A_good_one_names_its_client()
    {
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection byUri = agent.ConnectTls(_site.ClientAuthority.Issue(CertificateWish.Client(Dashboard)));
        using AgentConnection byDns = agent.ConnectTls(_site.ClientAuthority.Issue(new() { DnsNames = ["dashboard.example.org"] }));

        Assert.Equal($"x509:{Dashboard}", await byUri.PrincipalAsync());
        Assert.Equal("x509:dashboard.example.org", await byDns.PrincipalAsync());
        Assert.DoesNotContain(agent.Log.Lines, line => line.Message.Contains("Refused the TLS client", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_intermediate_authority_vouches_where_the_client_sends_it()
    {
        using TestAuthority intermediate = _site.ClientAuthority.IssueAuthority("clients of a team");
        X509Certificate2 certificate = intermediate.Issue(CertificateWish.Client(Dashboard));
        await using RunningAgent agent = await _site.StartAsync();

        using AgentConnection whole = agent.ConnectTls(certificate, [intermediate.Certificate]);
        Assert.Equal($"x509:{Dashboard}", await whole.PrincipalAsync());
        await AssertRefusedAsync(agent, certificate, "PartialChain");
    }

    [Fact]
    public async Task A_client_certificate_is_no_authority()
    {
        using TestAuthority another = TestAuthority.Create("another");
        using X509Certificate2 client = _site.ClientAuthority.Issue(CertificateWish.Client("spiffe://example.org/low"));
        using System.Security.Cryptography.ECDsa key = System.Security.Cryptography.ECDsa.Create();
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 forged = CertificateWish.Client("spiffe://example.org/admin").Request(key)
            .Create(client.SubjectName, X509SignatureGenerator.CreateForECDsa(client.GetECDsaPrivateKey()!), now.AddMinutes(-1), now.AddMinutes(1), [1, 2, 3])
            .CopyWithPrivateKey(key);
        await using RunningAgent agent = await _site.StartAsync();

        using AgentConnection connection = agent.ConnectTls(forged, [X509CertificateLoader.LoadCertificate(client.RawData)]);
        await AssertRefusedAsync(agent, connection, "not one of a client of the authorities");
    }

    [Fact]
    public async Task When_its_authority_is_taken_out_of_the_file_a_new_connection_is_refused_and_a_session_is_not_taken_up_again()
    {
        using TestAuthority next = TestAuthority.Create("next");
        X509Certificate2 old = _site.ClientAuthority.Issue(CertificateWish.Client(Dashboard));
        await using RunningAgent agent = await _site.StartAsync();
        SslClientAuthenticationOptions client = RawClient(old);
        Assert.True(await IsTakenAsync(agent, client));
        Assert.True(await IsTakenAsync(agent, client));

        _site.WriteAuthorities(next);
        agent.Refresh();

        // The same options: whatever session the client holds, it offers.
        Assert.False(await IsTakenAsync(agent, client));
        await AssertRefusedAsync(agent, old, "not one of a client of the authorities");
        using AgentConnection renewed = agent.ConnectTls(next.Issue(CertificateWish.Client(Dashboard)));
        Assert.Equal($"x509:{Dashboard}", await renewed.PrincipalAsync());
    }

    [Fact]
    public async Task A_file_of_authorities_that_is_broken_leaves_the_last_good_one_in_force()
    {
        await using RunningAgent agent = await _site.StartAsync();
        await File.WriteAllTextAsync(_site.PathOf("authorities.pem"), "", Cancelled);
        agent.Refresh();

        using AgentConnection connection = agent.ConnectTls(_site.ClientAuthority.Issue(CertificateWish.Client(Dashboard)));
        Assert.Equal($"x509:{Dashboard}", await connection.PrincipalAsync());
        Assert.Contains(agent.Log.Lines, line => line.Level == LogLevel.Error && line.Message.Contains("stays in force", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_agents_own_is_exchanged_while_it_runs()
    {
        X509Certificate2 client = _site.ClientAuthority.Issue(CertificateWish.Client(Dashboard));
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection before = agent.ConnectTls(client);
        await before.PrincipalAsync();
        Assert.Equal("CN=first", before.ServerName);

        using X509Certificate2 second = _site.ServerAuthority.Issue(CertificateWish.Server("second"));
        _site.WriteServerCertificate(second);
        agent.Refresh();

        using AgentConnection after = agent.ConnectTls(client);
        await after.PrincipalAsync();
        Assert.Equal("CN=second", after.ServerName);
        Assert.Equal($"x509:{Dashboard}", await before.PrincipalAsync());
    }

    [Fact]
    public async Task A_certificate_without_its_key_is_not_exchanged()
    {
        await using RunningAgent agent = await _site.StartAsync();
        using X509Certificate2 second = _site.ServerAuthority.Issue(CertificateWish.Server("second"));
        await File.WriteAllTextAsync(_site.PathOf("server.pem"), second.ExportCertificatePem(), Cancelled);
        agent.Refresh();

        using AgentConnection connection = agent.ConnectTls(_site.ClientAuthority.Issue(CertificateWish.Client(Dashboard)));
        await connection.PrincipalAsync();
        Assert.Equal("CN=first", connection.ServerName);
    }

    [Fact]
    public async Task Versions_before_1_2_are_not_spoken_and_sessions_not_resumed()
    {
        await using RunningAgent agent = await _site.StartAsync();
        ReloadedFile<TlsMaterial> tls = agent.Services.GetRequiredService<AccessFiles>().Tls!;

        SslServerAuthenticationOptions handshake = tls.Current.HandshakeOptions(_ => { });
        Assert.Equal(SslProtocols.Tls12 | SslProtocols.Tls13, handshake.EnabledSslProtocols);
        Assert.False(handshake.AllowTlsResume);
        foreach (SslProtocols version in (SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13])
        {
            SslClientAuthenticationOptions client = RawClient(_site.ClientAuthority.Issue(CertificateWish.Client(Dashboard)));
            client.EnabledSslProtocols = version;
            Assert.True(await IsTakenAsync(agent, client), $"{version}");
        }
    }

    [Fact]
    public async Task A_client_hello_of_1_1_is_answered_by_an_alert_that_says_so()
    {
        await using RunningAgent agent = await _site.StartAsync();
        using TcpClient tcp = new();
        await tcp.ConnectAsync(agent.TlsAddress.Host, agent.TlsAddress.Port, Cancelled);
        NetworkStream stream = tcp.GetStream();

        // Record: handshake, 3.1. ClientHello: version 3.2, random, no session, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, no compression.
        byte[] hello = [3, 2, .. new byte[32], 0, 0, 2, 0xc0, 0x09, 1, 0];
        byte[] message = [1, 0, 0, (byte)hello.Length, .. hello];
        await stream.WriteAsync((byte[])[22, 3, 1, 0, (byte)message.Length, .. message], Cancelled);

        byte[] alert = new byte[7];
        await stream.ReadExactlyAsync(alert, Cancelled);
        Assert.Equal((21, 2, 70), (alert[0], alert[5], alert[6])); // alert, fatal, protocol_version
    }

    public void Dispose() => _site.Dispose();

    private static async Task AssertRefusedAsync(RunningAgent agent, X509Certificate2? certificate, string reason)
    {
        using AgentConnection connection = agent.ConnectTls(certificate);
        await AssertRefusedAsync(agent, connection, reason);
    }

    private static async Task AssertRefusedAsync(RunningAgent agent, AgentConnection connection, string reason)
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(connection.PrincipalAsync);

        Assert.Null(error.GetRpcStatus()); // not a status of the agent's: there is no connection to send one over
        Assert.Contains(agent.Log.Lines, line => line.Level == LogLevel.Warning
            && line.Message.StartsWith("Refused the TLS client at 127.0.0.1:", StringComparison.Ordinal)
            && line.Message.Contains(reason, StringComparison.Ordinal));
    }

    private static SslClientAuthenticationOptions RawClient(X509Certificate2 certificate) => new()
    {
        TargetHost = "localhost",
        ApplicationProtocols = [SslApplicationProtocol.Http2],
        ClientCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
        RemoteCertificateValidationCallback = (_, server, _, _) => server?.Issuer == "CN=servers",
    };

    /// <summary>Whether the agent speaks HTTP/2 to a client: it sends its settings once the handshake is over.</summary>
    private static async Task<bool> IsTakenAsync(RunningAgent agent, SslClientAuthenticationOptions options)
    {
        using TcpClient tcp = new();
        await tcp.ConnectAsync(agent.TlsAddress.Host, agent.TlsAddress.Port, Cancelled);
        await using SslStream tls = new(tcp.GetStream());
        try
        {
            await tls.AuthenticateAsClientAsync(options, Cancelled);
            await tls.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray(), Cancelled);
            byte[] frame = new byte[9];
            await tls.ReadExactlyAsync(frame, Cancelled);
            return frame[3] == 4; // SETTINGS
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return false;
        }
    }
}
