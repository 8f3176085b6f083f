using System.Security.Cryptography.X509Certificates;
using BpfRemote.Client;
using BpfRemote.Client.Tests;
using Grpc.Core;

namespace BpfRemote.Cli.Tests;

/// <summary>Who the caller is, from the command line and from the environment.</summary>
public sealed class IdentityTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly X509Certificate2 _server;
    private readonly X509Certificate2 _client;

    public IdentityTests()
    {
        _server = _authority.ForServer();
        _client = _authority.WriteClient(CertificateFile, KeyFile);
    }

    private string CertificateFile => _authority.PathOf("client.pem");

    private string KeyFile => _authority.PathOf("client.key");

    public void Dispose()
    {
        _server.Dispose();
        _client.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task Options_say_who_the_caller_is()
    {
        string token = _authority.Write("token", "secret\n");
        await using ScriptedAgent agent = await ScriptedAgent.StartTlsAsync(_server);
        string trust = $"node show --tls-ca-file {_authority.CaFile}";

        Assert.Contains(
            _client.Thumbprint,
            (await Run.Async(agent, $"{trust} --tls-cert-file {CertificateFile} --tls-key-file {KeyFile}")).Output,
            StringComparison.Ordinal);
        Assert.Contains("Bearer secret", (await Run.Async(agent, $"{trust} --token-file {token}")).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, (await Run.Async(agent, $"{trust} --tls-server-name node-1.example")).ExitCode);
    }

    [Fact]
    public async Task The_environment_says_it_to_https_agents_alone()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartTlsAsync(_server);
        await using ScriptedAgent local = await ScriptedAgent.StartAsync();
        (string Name, string Value)[] variables =
        [
            (BpfRemoteClientOptions.TlsCaFileVariable, _authority.CaFile),
            (BpfRemoteClientOptions.TlsCertificateFileVariable, CertificateFile),
            (BpfRemoteClientOptions.TlsKeyFileVariable, KeyFile),
            (BpfRemoteClientOptions.TlsServerNameVariable, "node-1.example"),
            (BpfRemoteClientOptions.TokenFileVariable, _authority.Write("token", "from-environment")),
        ];
        try
        {
            foreach ((string name, string value) in variables)
            {
                Environment.SetEnvironmentVariable(name, value);
            }

            Assert.Contains("Bearer from-environment", (await Run.Async(agent, "node show")).Output, StringComparison.Ordinal);
            Assert.Contains("unix:uid=0", (await Run.Async(local, "node show")).Output, StringComparison.Ordinal);

            string option = _authority.Write("other", "from-option");
            Assert.Contains("Bearer from-option", (await Run.Async(agent, $"node show --token-file {option}")).Output, StringComparison.Ordinal);

            // The environment's key is not taken for the option's certificate.
            Run half = await Run.Async(agent, $"node show --tls-cert-file {CertificateFile}");
            Assert.Equal(ExitCode.Usage, half.ExitCode);
            Assert.Contains("go together", half.Error, StringComparison.Ordinal);
        }
        finally
        {
            foreach ((string name, _) in variables)
            {
                Environment.SetEnvironmentVariable(name, null);
            }
        }
    }

    [Theory]
    [InlineData("--token-file /token", "A token is sent over https only, never to 'unix:///a.sock'.")]
    [InlineData("--tls-ca-file /ca.pem", "TLS files and a TLS server name are for https addresses only, not for 'unix:///a.sock'.")]
    public async Task An_option_that_the_address_has_no_use_for_is_a_usage_error(string option, string message)
    {
        Run run = await Run.Async($"--address unix:///a.sock {option} node show");
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.StartsWith($"Error: {message}", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_handshake_ends_with_1_and_what_to_check()
    {
        await using ScriptedAgent agent = await ScriptedAgent.StartTlsAsync(_server);
        Run run = await Run.Async(agent, "node show");
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Contains("is not trusted by this system. Give the agent's root as the TLS CA file", run.Error, StringComparison.Ordinal);

        Run missing = await Run.Async(agent, "node show --tls-ca-file /nonexistent.pem");
        Assert.Equal(ExitCode.Failed, missing.ExitCode);
        Assert.Contains("the TLS CA file '/nonexistent.pem' does not exist", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_token_ends_with_4_and_the_agents_reason()
    {
        string token = _authority.Write("token", "old");
        await using ScriptedAgent agent = await ScriptedAgent.StartTlsAsync(_server);
        agent.JudgeToken = static _ => ScriptedAgent.Error(StatusCode.Unauthenticated, "CREDENTIALS_INVALID", "it has expired");
        Run run = await Run.Async(agent, $"node show --tls-ca-file {_authority.CaFile} --token-file {token}");
        Assert.Equal((ExitCode.PermissionDenied, $"Error: The agent refused the token of '{token}': it has expired\n"), (run.ExitCode, run.Error));
    }
}
