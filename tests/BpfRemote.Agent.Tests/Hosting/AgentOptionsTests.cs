using BpfRemote.Agent.Hosting;
using BpfRemote.Agent.Limits;
using BpfRemote.Libbpf;
using Xunit;

namespace BpfRemote.Agent.Tests.Hosting;

public sealed class AgentOptionsTests
{
    [Theory]
    [InlineData("unix:///run/bpfremote/agent.sock")]
    [InlineData("http://127.0.0.1:7070")]
    [InlineData("http://127.0.0.1:0")]
    [InlineData("http://[::1]:7070")]
    [InlineData("https://0.0.0.0:7443")]
    [InlineData("https://[::]:0")]
    public void Endpoints(string text)
    {
        Assert.NotNull(ListenEndpoint.TryParse(text, plaintext: true, out string error));
        Assert.Equal("", error);
    }

    [Theory]
    [InlineData("unix://relative", "absolute")]
    [InlineData("unix://", "absolute")]
    [InlineData("http://0.0.0.0:7070", "loopback only")]
    [InlineData("http://10.0.0.1:7070", "loopback only")]
    [InlineData("http://[::]:7070", "loopback only")]
    [InlineData("http://127.0.0.1", "expected http://127.0.0.1:port")]
    [InlineData("http://localhost:7070", "expected http://127.0.0.1:port")]
    [InlineData("http://127.0.0.1:70700", "expected http://127.0.0.1:port")]
    [InlineData("https://example.org:7070", "expected https://ip:port")]
    [InlineData("https://127.0.0.1", "expected https://ip:port")]
    [InlineData("127.0.0.1:7070", "expected unix:///path")]
    [InlineData("", "expected unix:///path")]
    public void What_is_no_endpoint_says_what_was_expected(string text, string expected)
    {
        Assert.Null(ListenEndpoint.TryParse(text, plaintext: true, out string error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Plain_http_is_asked_for()
    {
        Assert.Null(ListenEndpoint.TryParse("http://127.0.0.1:7070", plaintext: false, out string error));
        Assert.Contains("--plaintext", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_longer_than_a_socket_address_is_refused() =>
        Assert.Null(ListenEndpoint.TryParse("unix:///" + new string('x', 107), plaintext: false, out _));

    [Fact]
    public void All_violations_are_named_at_once()
    {
        AgentOptions options = new()
        {
            Listen = ["http://0.0.0.0:1", "nonsense"],
            Limits = new AgentLimits { MaxConcurrentScans = 0, GentleCpuShare = 2 },
        };

        Assert.Equal(4, options.Violations().Count);
    }

    [Theory]
    [InlineData("maxScansPerPrincipal", "0")]
    [InlineData("maxConnectionsPerPrincipal", "0")]
    [InlineData("maxBufferBytes", "41943039")] // 8 MiB for 32 scans, and 32 MiB
    [InlineData("maxConnectionAge", "\"00:00:00.9\"")]
    [InlineData("handshakeTimeout", "\"00:01:01\"")]
    public void A_limit_out_of_its_range_is_named(string name, string value) => WithFile(
        $$"""{ "limits": { "{{name}}": {{value}} } }""",
        file => Assert.StartsWith($"limits.{name}", Assert.Single(AgentOptions.Load(file).Violations()), StringComparison.OrdinalIgnoreCase));

    [Fact]
    public void Listening_to_strangers_takes_a_way_to_tell_them_apart_and_a_policy_all_named_at_once()
    {
        AgentOptions tls = new() { Listen = ["https://0.0.0.0:0"] };
        AgentOptions plaintext = new() { Listen = ["http://127.0.0.1:0"], Plaintext = true };

        Assert.Collection(
            tls.Violations(),
            violation => Assert.Contains("--tls-cert-file and --tls-key-file", violation, StringComparison.Ordinal),
            violation => Assert.Contains("--tls-client-ca-file, or bearerTokens", violation, StringComparison.Ordinal),
            violation => Assert.Contains("--policy-file", violation, StringComparison.Ordinal));
        Assert.Contains("--policy-file", Assert.Single(plaintext.Violations()), StringComparison.Ordinal);
        Assert.Single((tls with { TlsCertFile = "c", TlsClientCaFile = "a", PolicyFile = "p" }).Violations());
        Assert.Empty((tls with { TlsCertFile = "c", TlsKeyFile = "k", TlsClientCaFile = "a", PolicyFile = "p" }).Violations());
        Assert.Empty((plaintext with { PolicyFile = "p" }).Violations());
        Assert.Contains("no endpoint is https://", Assert.Single(new AgentOptions { TlsClientCaFile = "a" }.Violations()), StringComparison.Ordinal);
    }

    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(new AgentOptions().Violations());

    [Theory]
    [InlineData("{\"lissten\": []}")]
    [InlineData("{\"listen\": 7}")]
    [InlineData("{\"listen\": [null]}")]
    [InlineData("{\"bearerTokens\": [null]}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    public void A_file_that_is_no_configuration_is_refused(string json) =>
        WithFile(json, file => Assert.Throws<System.Text.Json.JsonException>(() => AgentOptions.Load(file)));

    [Fact]
    public void A_file_sets_options_and_the_rest_keeps_its_default() => WithFile(
        """{ "listen": ["unix:///tmp/a.sock"], "limits": { "writeTimeout": "00:00:02" } /* short */ }""",
        file =>
        {
            AgentOptions options = AgentOptions.Load(file);

            Assert.Equal(["unix:///tmp/a.sock"], options.Listen);
            Assert.Equal(TimeSpan.FromSeconds(2), options.Limits.WriteTimeout);
            Assert.Equal(32, options.Limits.MaxConcurrentScans);
            Assert.False(options.Plaintext);
        });

    [Fact]
    public void Access_is_named() => WithFile(
        """{ "access": "pins" }""", file => Assert.Equal(MapAccess.Pins, AgentOptions.Load(file).Access));

    [Fact]
    public void Access_by_a_number_that_has_no_meaning_is_a_violation() => WithFile(
        """{ "access": 7 }""",
        file => Assert.Equal(["access is 7; expected enumerate or pins"], AgentOptions.Load(file).Violations()));

    private static void WithFile(string content, Action<string> test)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, content);
            test(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
