namespace BpfRemote.Client.Tests;

public sealed class BpfRemoteClientOptionsTests
{
    [Theory]
    [InlineData("unix:///run/bpfremote/agent.sock", false)]
    [InlineData("unix:///with%20space", false)]
    [InlineData("https://node-1:7443", false)]
    [InlineData("https://[2001:db8::1]:7443", false)]
    [InlineData("http://127.0.0.1:7070", true)]
    [InlineData("http://[::1]:7070", true)]
    [InlineData("http://localhost:7070", true)]
    public void An_address_of_an_agent_is_taken(string address, bool plaintext)
    {
        using BpfRemoteClient client = BpfRemoteClient.Connect(new() { Address = address, Plaintext = plaintext });

        Assert.NotNull(client);
    }

    [Theory]
    [InlineData("", "it is not an address")]
    [InlineData("node-1", "it is not an address")]
    [InlineData("/run/bpfremote/agent.sock", "the scheme")]
    [InlineData("node-1:7443", "the scheme 'node-1' is not known")]
    [InlineData("ftp://node-1", "the scheme 'ftp' is not known")]
    [InlineData("unix://run/agent.sock", "three slashes")]
    [InlineData("unix:run/agent.sock", "three slashes")]
    [InlineData("unix:///", "three slashes")]
    [InlineData("https://node-1:7443/path", "more than a host and a port")]
    [InlineData("https://user@node-1:7443", "more than a host and a port")]
    [InlineData("http://127.0.0.1:7070", "must be asked for with Plaintext")]
    public void Any_other_is_refused_with_the_reason_and_what_was_expected(string address, string reason)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => BpfRemoteClient.Connect(new() { Address = address }));

        Assert.Contains($"'{address}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Contains("Expected unix:///path, https://host:port", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plaintext_is_for_loopback_only()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => BpfRemoteClient.Connect(new() { Address = "http://10.0.0.1:7070", Plaintext = true }));

        Assert.Contains("loopback only", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_socket_path_too_long_for_the_kernel_is_refused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => BpfRemoteClient.Connect(new() { Address = "unix:///" + new string('x', 107) }));

        Assert.Contains("at most 107 bytes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, BpfRemoteClientOptions.DefaultAddress)]
    [InlineData("", BpfRemoteClientOptions.DefaultAddress)]
    [InlineData("https://node-1:7443", "https://node-1:7443")]
    public void The_environment_names_the_address(string? variable, string expected)
    {
        string? before = Environment.GetEnvironmentVariable(BpfRemoteClientOptions.AddressVariable);
        try
        {
            Environment.SetEnvironmentVariable(BpfRemoteClientOptions.AddressVariable, variable);

            Assert.Equal(expected, BpfRemoteClientOptions.FromEnvironment().Address);
        }
        finally
        {
            Environment.SetEnvironmentVariable(BpfRemoteClientOptions.AddressVariable, before);
        }
    }

    [Theory]
    [InlineData("unix:///a.sock")]
    [InlineData("http://127.0.0.1:7070")]
    [InlineData("file:case.zip")]
    public void Who_the_caller_is_is_sent_over_https_only(string address)
    {
        BpfRemoteClientOptions options = new() { Address = address, Plaintext = true };

        Assert.Contains($"never to '{address}'", Refusal(options with { TokenFile = "/token" }), StringComparison.Ordinal);
        Assert.Contains("for https addresses only", Refusal(options with { TlsCaFile = "/ca.pem" }), StringComparison.Ordinal);
        Assert.Contains("for https addresses only", Refusal(options with { TlsServerName = "node-1" }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_and_its_key_go_together()
    {
        BpfRemoteClientOptions options = new() { Address = "https://node-1:7443" };

        Assert.Contains("go together", Refusal(options with { TlsCertificateFile = "/a" }), StringComparison.Ordinal);
        Assert.Contains("go together", Refusal(options with { TlsKeyFile = "/a" }), StringComparison.Ordinal);
    }

    [Fact]
    public void The_environment_says_who_the_caller_is_to_https_agents_alone()
    {
        string[] variables =
        [
            BpfRemoteClientOptions.TlsCertificateFileVariable, BpfRemoteClientOptions.TlsKeyFileVariable,
            BpfRemoteClientOptions.TlsCaFileVariable, BpfRemoteClientOptions.TlsServerNameVariable, BpfRemoteClientOptions.TokenFileVariable,
        ];
        try
        {
            foreach (string variable in variables)
            {
                Environment.SetEnvironmentVariable(variable, variable);
            }

            BpfRemoteClientOptions options = BpfRemoteClientOptions.FromEnvironment("https://node-1:7443");
            Assert.Equal<IEnumerable<string?>>(
                variables, [options.TlsCertificateFile, options.TlsKeyFile, options.TlsCaFile, options.TlsServerName, options.TokenFile]);
            Assert.Equal(new() { Address = "unix:///a.sock" }, BpfRemoteClientOptions.FromEnvironment("unix:///a.sock"));
        }
        finally
        {
            foreach (string variable in variables)
            {
                Environment.SetEnvironmentVariable(variable, null);
            }
        }
    }

    private static string Refusal(BpfRemoteClientOptions options) =>
        Assert.Throws<ArgumentException>(() => BpfRemoteClient.Connect(options)).Message;
}
