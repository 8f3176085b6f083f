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
}
