using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace BpfRemote.Client.Tests;

/// <summary>Certificates of both sides, against a real TLS server.</summary>
#pragma warning disable CA5398 // both versions differ in when a client certificate is judged
public sealed class TlsTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string CertificateFile => _authority.PathOf("client.pem");

    private string KeyFile => _authority.PathOf("client.key");

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task A_certificate_from_the_ca_file_is_trusted()
    {
        using X509Certificate2 certificate = _authority.ForServer();
        await using FakeAgent agent = await StartAsync(certificate);
        using BpfRemoteClient client = BpfRemoteClient.Connect(OptionsFor(agent));

        Assert.Equal("anonymous", (await client.GetNodeAsync(Cancellation)).Principal);
    }

    [Fact]
    public async Task One_from_elsewhere_is_not_and_a_scan_does_not_try_again()
    {
        using TestAuthority other = new();
        using X509Certificate2 certificate = other.ForServer();
        await using FakeAgent agent = await StartAsync(certificate);
        ImmediateTimeProvider time = new();
        using BpfRemoteClient client = BpfRemoteClient.Connect(OptionsFor(agent) with { TimeProvider = time });

        AgentUnreachableException error = await Assert.ThrowsAsync<AgentUnreachableException>(
            () => client.Scan(MapSelectors.ById(7)).ReadAsync(new(0)));

        Assert.Contains($"is not trusted by the TLS CA file '{_authority.CaFile}'", error.Message, StringComparison.Ordinal);
        Assert.Empty(time.Waits);
    }

    [Fact]
    public async Task The_name_must_be_the_hosts_or_the_one_that_is_given()
    {
        using X509Certificate2 certificate = _authority.ForServer();
        await using FakeAgent agent = await StartAsync(certificate);
        BpfRemoteClientOptions byAddress = OptionsFor(agent) with { Address = $"https://127.0.0.1:{agent.Port}" };

        Assert.Contains(
            "its certificate is for localhost, node-1.example, not for 127.0.0.1",
            await FailAsync(byAddress),
            StringComparison.Ordinal);
        Assert.Contains(
            "not for node-2.example", await FailAsync(OptionsFor(agent) with { TlsServerName = "node-2.example" }), StringComparison.Ordinal);

        using BpfRemoteClient client = BpfRemoteClient.Connect(byAddress with { TlsServerName = "node-1.example" });
        Assert.Equal("node-1", (await client.GetNodeAsync(Cancellation)).Hostname);
    }

    [Fact]
    public async Task An_expired_certificate_is_said_to_be_that()
    {
        using X509Certificate2 certificate = _authority.ForServer(validUntilDays: -1);
        await using FakeAgent agent = await StartAsync(certificate);

        Assert.Contains(
            $"its certificate expired at {certificate.NotAfter.ToUniversalTime():u}", await FailAsync(OptionsFor(agent)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clients_certificate_is_none_of_an_agent()
    {
        using X509Certificate2 certificate = _authority.ForServerWithClientUsage();
        SslServerAuthenticationOptions handshake = new() { ServerCertificate = certificate };

        // Kestrel looks at the usages itself, but not here.
        await using FakeAgent agent = await FakeAgent.StartAsync(new(5), options => options.Listen(IPAddress.Loopback, 0, listener =>
        {
            listener.Protocols = HttpProtocols.Http2;
            listener.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(handshake) });
        }));

        Assert.Contains("not one for servers", await FailAsync(OptionsFor(agent)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_alert_is_told_by_what_it_means()
    {
        using X509Certificate2 certificate = _authority.ForServer();
        await using FakeAgent agent = await FakeAgent.StartAsync(new(5), options => options.Listen(IPAddress.Loopback, 0, listener =>
        {
            listener.Protocols = HttpProtocols.Http1;
            listener.UseHttps(certificate);
        }));

        Assert.Contains("it does not speak HTTP/2 (no_application_protocol)", await FailAsync(OptionsFor(agent)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_agent_gets_the_clients_certificate_with_its_intermediates()
    {
        using X509Certificate2 mine = _authority.WriteClient(CertificateFile, KeyFile);
        using X509Certificate2 certificate = _authority.ForServer();
        await using FakeAgent agent = await StartAsync(certificate, (client, chain) => _authority.Vouches(client, chain));
        using BpfRemoteClient client = BpfRemoteClient.Connect(WithCertificate(agent));

        Assert.Equal(mine.Thumbprint, (await client.GetNodeAsync(Cancellation)).Principal);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_refused_client_certificate_is_said_to_be_refused(SslProtocols protocol)
    {
        _authority.WriteClient(CertificateFile, KeyFile).Dispose();
        using X509Certificate2 certificate = _authority.ForServer();
        await using FakeAgent agent = await StartAsync(certificate, static (_, _) => false, protocol);

        Assert.Contains("refuses the client certificate", await FailAsync(WithCertificate(agent)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task An_agent_that_wants_a_certificate_says_so(SslProtocols protocol)
    {
        using X509Certificate2 certificate = _authority.ForServer();
        await using FakeAgent agent = await StartAsync(certificate, static (_, _) => true, protocol);

        Assert.Contains("wants a client certificate", await FailAsync(OptionsFor(agent)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_connection_uses_the_certificate_that_the_files_hold_then()
    {
        using X509Certificate2 first = _authority.WriteClient(CertificateFile, KeyFile);
        using X509Certificate2 certificate = _authority.ForServer();
        FakeMapService service = new(1) { Refusal = Ending.Disconnect };
        await using FakeAgent agent = await StartAsync(certificate, static (_, _) => true, service: service);
        using BpfRemoteClient client = BpfRemoteClient.Connect(WithCertificate(agent));
        Assert.Equal(first.Thumbprint, (await client.GetNodeAsync(Cancellation)).Principal);

        using X509Certificate2 second = _authority.WriteClient(CertificateFile, KeyFile);
        Assert.Equal(first.Thumbprint, (await client.GetNodeAsync(Cancellation)).Principal);
        await Assert.ThrowsAnyAsync<BpfRemoteException>(() => client.GetMapAsync(MapSelectors.ById(7), cancellationToken: Cancellation));

        Assert.Equal(second.Thumbprint, (await client.GetNodeAsync(Cancellation)).Principal);
    }

    [Fact]
    public async Task A_scan_waits_for_files_that_were_good_before_and_are_being_replaced()
    {
        _authority.WriteClient(CertificateFile, KeyFile).Dispose();
        using X509Certificate2 certificate = _authority.ForServer();
        FakeMapService service = new(25);
        service.EndAfter(1, Ending.Disconnect);
        await using FakeAgent agent = await StartAsync(certificate, static (_, _) => true, service: service);
        using BpfRemoteClient client = BpfRemoteClient.Connect(WithCertificate(agent));
        Assert.Equal("node-1", (await client.GetNodeAsync(Cancellation)).Hostname);
        string key = await File.ReadAllTextAsync(KeyFile, Cancellation);
        File.Delete(KeyFile);
        List<string> reasons = [];
        ScanOptions options = new()
        {
            OnResume = resume =>
            {
                reasons.Add(resume.Cause.Message);
                if (resume.Cause is AgentUnreachableException)
                {
                    File.WriteAllText(KeyFile, key);
                }
            },
        };

        Assert.Equal(25, (await client.Scan(MapSelectors.ById(7), options).ReadAsync(service)).Count);
        Assert.Contains("does not exist", reasons[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_that_cannot_be_used_are_named_with_what_is_wrong()
    {
        string otherKey = _authority.PathOf("other.key");
        _authority.WriteClient(_authority.PathOf("other.pem"), otherKey).Dispose();
        _authority.WriteClient(CertificateFile, KeyFile).Dispose();
        string noPem = _authority.Write("text.pem", "hello");
        string encrypted = _authority.Write("encrypted.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        string damaged = _authority.Write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        using X509Certificate2 certificate = _authority.ForServer();
        await using FakeAgent agent = await StartAsync(certificate);
        BpfRemoteClientOptions good = WithCertificate(agent);
        (BpfRemoteClientOptions Options, string Problem)[] cases =
        [
            (good with { TlsCertificateFile = "/nonexistent" }, "the TLS certificate file '/nonexistent' does not exist"),
            (good with { TlsKeyFile = "/nonexistent/key" }, "the TLS key file '/nonexistent/key' does not exist"),
            (good with { TlsCaFile = "/nonexistent" }, "the TLS CA file '/nonexistent' does not exist"),
            (good with { TlsCaFile = "/" }, "the TLS CA file '/' is a directory"),
            (good with { TlsCaFile = noPem }, $"the TLS CA file '{noPem}' holds no certificate in PEM"),
            (good with { TlsCaFile = damaged }, $"the TLS CA file '{damaged}' holds a certificate that is damaged"),
            (good with { TlsCertificateFile = noPem }, $"the TLS certificate file '{noPem}' holds no certificate in PEM"),
            (good with { TlsKeyFile = noPem }, $"the TLS key file '{noPem}' holds no private key in PEM"),
            (good with { TlsKeyFile = encrypted }, $"the TLS key file '{encrypted}' is encrypted"),
            (good with { TlsKeyFile = otherKey }, $"the TLS key file '{otherKey}' does not hold the key of the certificate in '{CertificateFile}'"),
        ];
        foreach ((BpfRemoteClientOptions options, string problem) in cases)
        {
            Assert.Contains(problem, await FailAsync(options), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_token_of_the_moment_goes_with_every_call()
    {
        string file = _authority.Write("token", " first\n");
        using X509Certificate2 certificate = _authority.ForServer();
        await using FakeAgent agent = await StartAsync(certificate);
        using BpfRemoteClient client = BpfRemoteClient.Connect(OptionsFor(agent) with { TokenFile = file });

        Assert.Equal("Bearer first", (await client.GetNodeAsync(Cancellation)).Principal);
        _authority.Write("token", "second");
        Assert.Equal("Bearer second", (await client.GetNodeAsync(Cancellation)).Principal);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("one two", "holds no token")]
    [InlineData("one\ntwo", "holds no token")]
    public async Task A_file_without_a_token_is_said_to_be_one(string text, string problem)
    {
        string file = _authority.Write("token", text);
        using X509Certificate2 certificate = _authority.ForServer();
        await using FakeAgent agent = await StartAsync(certificate);

        Assert.Contains($"the token file '{file}' {problem}", await FailAsync(OptionsFor(agent) with { TokenFile = file }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_token_is_said_to_be_that_and_a_scan_does_not_try_again()
    {
        string file = _authority.Write("token", "old");
        FakeMapService service = new(5);
        service.EndAfter(0, Ending.Status(StatusCode.Unauthenticated, "CREDENTIALS_INVALID"));
        using X509Certificate2 certificate = _authority.ForServer();
        await using FakeAgent agent = await StartAsync(certificate, service: service);
        using BpfRemoteClient client = BpfRemoteClient.Connect(OptionsFor(agent) with { TokenFile = file });

        PermissionDeniedException error = await Assert.ThrowsAsync<PermissionDeniedException>(
            () => client.Scan(MapSelectors.ById(7)).ReadAsync(service));

        Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
        Assert.Equal($"The agent refused the token of '{file}': scripted Unauthenticated", error.Message);
        Assert.Single(service.Scans);
    }

    private static Task<FakeAgent> StartAsync(
        X509Certificate2 certificate,
        Func<X509Certificate2, X509Chain?, bool>? wants = null,
        SslProtocols protocols = SslProtocols.None,
        FakeMapService? service = null) =>
        FakeAgent.StartAsync(service ?? new(5), options => options.Listen(IPAddress.Loopback, 0, listener =>
        {
            listener.Protocols = HttpProtocols.Http2;
            listener.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.SslProtocols = protocols;
                if (wants is not null)
                {
                    https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                    https.ClientCertificateValidation = (client, chain, _) => wants(client, chain);
                }
            });
        }));

    private BpfRemoteClientOptions OptionsFor(FakeAgent agent) => new()
    {
        Address = $"https://localhost:{agent.Port}",
        TlsCaFile = _authority.CaFile,
        ConnectTimeout = TimeSpan.FromMinutes(1),
        TimeProvider = new ImmediateTimeProvider(),
    };

    private BpfRemoteClientOptions WithCertificate(FakeAgent agent) => OptionsFor(agent) with
    {
        TlsCertificateFile = CertificateFile,
        TlsKeyFile = KeyFile,
    };

    private static async Task<string> FailAsync(BpfRemoteClientOptions options)
    {
        using BpfRemoteClient client = BpfRemoteClient.Connect(options);
        AgentUnreachableException error = await Assert.ThrowsAsync<AgentUnreachableException>(() => client.GetNodeAsync(Cancellation));
        Assert.StartsWith($"Cannot reach the agent at {options.Address}: ", error.Message, StringComparison.Ordinal);
        return error.Message;
    }
}
