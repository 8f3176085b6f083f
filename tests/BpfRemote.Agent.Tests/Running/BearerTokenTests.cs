using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using BpfRemote.Agent.Tests.Harness;
using BpfRemote.Simulation;
using BpfRemote.V1;
using Grpc.Core;
using Xunit;

namespace BpfRemote.Agent.Tests.Running;

/// <summary>Clients of a running agent, by their bearer tokens.</summary>
public sealed class BearerTokenTests : IDisposable
{
    private const string Reason = "CREDENTIALS_INVALID";

    private readonly AgentSite _site = new();

    /// <summary>What an attacker may send, made from the issuer whose tokens the agent takes.</summary>
    internal static Dictionary<string, Func<TestIssuer, string>> BadTokens { get; } = new()
    {
        ["of another issuer"] = issuer => issuer.Issue(claims => claims["iss"] = "https://evil.example.org"),
        ["of an issuer whose name begins alike"] = issuer => issuer.Issue(claims => claims["iss"] = issuer.Name + "/"),
        ["without an issuer"] = issuer => issuer.Issue(claims => claims.Remove("iss")),
        ["for another audience"] = issuer => issuer.Issue(claims => claims["aud"] = "grafana"),
        ["for no audience"] = issuer => issuer.Issue(claims => claims.Remove("aud")),
        ["expired"] = issuer => issuer.Issue(claims => claims["exp"] = issuer.After(TimeSpan.FromSeconds(-61))),
        ["not yet valid"] = issuer => issuer.Issue(claims => claims["nbf"] = issuer.After(TimeSpan.FromSeconds(62))),
        ["without an end"] = issuer => issuer.Issue(claims => claims.Remove("exp")),
        ["without a subject"] = issuer => issuer.Issue(claims => claims.Remove("sub")),
        ["with an empty subject"] = issuer => issuer.Issue(claims => claims["sub"] = ""),
        ["with a subject of control characters"] = issuer => issuer.Issue(claims => claims["sub"] = "a\nb"),
        ["with a subject too long"] = issuer => issuer.Issue(claims => claims["sub"] = new string('a', 600)),
        ["of an unknown key"] = issuer => issuer.Issue(header: header => header["kid"] = "key-2"),
        ["of no key in particular"] = issuer => issuer.Issue(header: header => header.Remove("kid")),
        ["of a key that it brings along"] = OfAKeyThatItBringsAlong,
        ["not signed"] = issuer => TestIssuer.Compose(issuer.Header(header => header["alg"] = "none"), issuer.Claims(), _ => []),
        ["not signed, shouted"] = issuer => TestIssuer.Compose(issuer.Header(header => header["alg"] = "NONE"), issuer.Claims(), _ => []),
        ["said to be signed by nothing, and signed"] = issuer => issuer.Issue(header: header => header["alg"] = "none"),
        ["said to be signed, and not"] = issuer => TestIssuer.Compose(issuer.Header(), issuer.Claims(), _ => []),
        ["of the public key's PEM as a secret"] = issuer => OfSecret(issuer, Encoding.ASCII.GetBytes(issuer.PublicKeyPem)),
        ["of the public key's DER as a secret"] = issuer => OfSecret(issuer, issuer.PublicKeyDer),
        ["of the modulus as a secret"] = issuer => OfSecret(issuer, Encoding.ASCII.GetBytes((string)issuer.PublicKey["n"]!)),
        ["of other claims than were signed"] = issuer =>
        {
            string[] parts = issuer.Issue().Split('.');
            return $"{parts[0]}.{TestIssuer.Encode(issuer.Claims(claims => claims["sub"] = "root").ToJsonString())}.{parts[2]}";
        },
        ["of another header than was signed"] = issuer =>
        {
            string[] parts = issuer.Issue().Split('.');
            return $"{TestIssuer.Encode(issuer.Header(header => header["typ"] = "at+jwt").ToJsonString())}.{parts[1]}.{parts[2]}";
        },
        ["with a bit of its signature turned"] = issuer => TestIssuer.Compose(issuer.Header(), issuer.Claims(), text =>
        {
            byte[] signature = issuer.Sign(text);
            signature[^1] ^= 1;
            return signature;
        }),
        ["with a critical extension"] = issuer => issuer.Issue(header: header => header["crit"] = new JsonArray("unheard-of")),
        ["of two parts"] = issuer => string.Join('.', issuer.Issue().Split('.').SkipLast(1)),
        ["encrypted"] = issuer => issuer.Issue() + ".YQ.YQ",
        ["of one word"] = _ => "secret",
        ["empty"] = _ => "",
        ["of parts that are no JSON"] = _ => "YQ.YQ.YQ",
        ["of claims that are no object"] = issuer => TestIssuer.Compose(issuer.Header(), new JsonArray(1), issuer.Sign),
        ["with an issuer that is an object"] = issuer => issuer.Issue(claims => claims["iss"] = new JsonObject { ["a"] = 1 }),
        ["with an issuer that is a list"] = issuer => issuer.Issue(claims => claims["iss"] = new JsonArray(issuer.Name)),
        ["with an end that is no number"] = issuer => issuer.Issue(claims => claims["exp"] = "tomorrow"),
        ["with an end that has been"] = issuer => issuer.Issue(claims => claims["exp"] = -1e300),
        ["with an audience that is an object"] = issuer => issuer.Issue(claims => claims["aud"] = new JsonObject()),
        ["with a subject that is an object"] = issuer => issuer.Issue(claims => claims["sub"] = new JsonObject()),
    };

    public static TheoryData<string> Bad => [.. BadTokens.Keys];

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task One_that_does_not_hold_is_refused(string what)
    {
        _site.TakeTokens();
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection connection = agent.ConnectTls(token: BadTokens[what](_site.Issuer));

        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, connection.PrincipalAsync);
        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, () => connection.ScanAsync(new()));
        Assert.DoesNotContain(agent.Log.Lines, line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Fact]
    public async Task A_good_one_names_its_subject_and_groups()
    {
        _site.TakeTokens("groups");
        _site.AddMap("theirs");
        _site.AddMap("others");
        string group = $"jwt-group:{_site.Issuer.Name}#groups=net";
        _site.WritePolicy($$"""{ "rules": [{ "groups": ["{{group}}"], "rights": ["list"], "maps": [{ "name": "theirs" }] }] }""");
        await using RunningAgent agent = await _site.StartAsync();

        using AgentConnection member = agent.ConnectTls(token: _site.Issuer.Issue(claims => claims["groups"] = new JsonArray("dev", "net")));
        using AgentConnection one = agent.ConnectTls(token: _site.Issuer.Issue(claims => claims["groups"] = "net"));
        using AgentConnection stranger = agent.ConnectTls(token: _site.Issuer.Issue(claims => claims["groups"] = new JsonArray("network", "ne")));
        using AgentConnection other = agent.ConnectTls(token: _site.Issuer.Issue(claims => claims["roles"] = new JsonArray("net")));

        Assert.Equal($"jwt:{_site.Issuer.Name}#alice", await member.PrincipalAsync());
        Assert.Equal(["theirs"], await member.ListAsync());
        Assert.Equal(["theirs"], await one.ListAsync());
        await AgentConnection.AssertFailsAsync(StatusCode.PermissionDenied, "CALLER_DENIED", stranger.ListAsync);
        await AgentConnection.AssertFailsAsync(StatusCode.PermissionDenied, "CALLER_DENIED", other.ListAsync);
    }

    [Fact]
    public async Task It_holds_until_its_end_by_the_agents_clock()
    {
        _site.TakeTokens();
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection connection = agent.ConnectTls(token: _site.Issuer.Issue());
        await connection.PrincipalAsync();

        _site.Time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(58)); // a minute that clocks may differ by
        await connection.PrincipalAsync();
        _site.Time.Advance(TimeSpan.FromSeconds(3));

        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, connection.PrincipalAsync);
    }

    [Fact]
    public async Task A_stream_does_not_outlive_it()
    {
        _site.TakeTokens();
        _site.Options.Limits.WriteTimeout = TimeSpan.FromMinutes(10);
        SimulatedMap map = _site.AddMap("table", 100_000);
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection connection = agent.ConnectTls(token: _site.Issuer.Issue());
        int calls = 0;
        map.BetweenCalls = call =>
        {
            if (call == NativeCall.LookupBatch && ++calls == 5) // of 2,048 entries
            {
                _site.Time.Advance(TimeSpan.FromMinutes(6) + TimeSpan.FromSeconds(1));
            }
        };

        ulong received = 0;
        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, () => connection.ScanAsync(
            new() { Map = new() { Name = "table" }, Pace = Pace.Full }, response => received += response.Count));
        Assert.InRange(received, 1UL, 99_999UL);
    }

    [Fact]
    public async Task It_goes_before_the_certificate_and_a_bad_one_is_not_passed_over()
    {
        _site.TakeTokens();
        await using RunningAgent agent = await _site.StartAsync();
        X509Certificate2 certificate = _site.ClientAuthority.Issue(CertificateWish.Client("spiffe://example.org/dashboard"));

        using AgentConnection alone = agent.ConnectTls(certificate);
        using AgentConnection both = agent.ConnectTls(certificate, token: _site.Issuer.Issue());
        using AgentConnection bad = agent.ConnectTls(certificate, token: "secret");

        Assert.Equal("x509:spiffe://example.org/dashboard", await alone.PrincipalAsync());
        Assert.Equal($"jwt:{_site.Issuer.Name}#alice", await both.PrincipalAsync());
        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, bad.PrincipalAsync);
    }

    [Fact]
    public async Task Where_there_are_issuers_a_client_without_anything_is_told_so()
    {
        _site.TakeTokens();
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection nobody = agent.ConnectTls();

        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, nobody.PrincipalAsync);
    }

    [Fact]
    public async Task None_is_taken_where_no_issuer_is_configured()
    {
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection connection = agent.ConnectTls(
            _site.ClientAuthority.Issue(CertificateWish.Client("spiffe://example.org/dashboard")), token: _site.Issuer.Issue());

        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, connection.PrincipalAsync);
    }

    [Fact]
    public async Task None_is_taken_over_a_unix_socket_or_plain_HTTP()
    {
        _site.TakeTokens();
        _site.Options.Listen = [.. _site.Options.Listen, "http://127.0.0.1:0"];
        _site.Options.Plaintext = true;
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection unix = agent.ConnectUnix(_site.Issuer.Issue());
        using AgentConnection plaintext = agent.ConnectPlaintext(_site.Issuer.Issue());
        using AgentConnection anonymous = agent.ConnectPlaintext();

        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, unix.PrincipalAsync);
        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, plaintext.PrincipalAsync);
        Assert.Equal("anonymous", await anonymous.PrincipalAsync());
    }

    [Fact]
    public async Task Keys_are_exchanged_while_the_agent_runs()
    {
        using TestIssuer next = new(_site.Time) { KeyId = "key-2" };
        _site.TakeTokens();
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection old = agent.ConnectTls(token: _site.Issuer.Issue());
        using AgentConnection renewed = agent.ConnectTls(token: next.Issue());
        await old.PrincipalAsync();
        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, renewed.PrincipalAsync);

        _site.WriteKeys(next);
        agent.Refresh();

        Assert.Equal($"jwt:{next.Name}#alice", await renewed.PrincipalAsync());
        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, old.PrincipalAsync);

        await File.WriteAllTextAsync(_site.PathOf("keys.json"), "{", TestContext.Current.CancellationToken);
        agent.Refresh();
        await renewed.PrincipalAsync();
    }

    [Fact]
    public async Task Two_issuers_do_not_vouch_for_each_other()
    {
        using TestIssuer other = new(_site.Time) { Name = "https://other.example.org" };
        _site.TakeTokens();
        await File.WriteAllTextAsync(
            _site.PathOf("other.json"), TestIssuer.KeySet(other.PublicKey), TestContext.Current.CancellationToken);
        _site.Options.BearerTokens =
        [
            .. _site.Options.BearerTokens,
            new() { Issuer = other.Name, Audience = TestIssuer.Audience, JwksFile = _site.PathOf("other.json") },
        ];
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection good = agent.ConnectTls(token: other.Issue());
        using AgentConnection forged = agent.ConnectTls(token: other.Issue(claims => claims["iss"] = _site.Issuer.Name));

        Assert.Equal("jwt:https://other.example.org#alice", await good.PrincipalAsync());
        await AgentConnection.AssertFailsAsync(StatusCode.Unauthenticated, Reason, forged.PrincipalAsync);
    }

    public void Dispose() => _site.Dispose();

    private static string OfSecret(TestIssuer issuer, byte[] secret) =>
        TestIssuer.Compose(issuer.Header(header => header["alg"] = "HS256"), issuer.Claims(), text => HMACSHA256.HashData(secret, text));

    private static string OfAKeyThatItBringsAlong(TestIssuer issuer)
    {
        using TestIssuer attacker = new(TimeProvider.System) { KeyId = "key-2" };
        return TestIssuer.Compose(attacker.Header(header => header["jwk"] = attacker.PublicKey), issuer.Claims(), attacker.Sign);
    }
}
