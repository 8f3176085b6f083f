using BpfRemote.Client;
using BpfRemote.EndToEnd.Programs;

namespace BpfRemote.EndToEnd;

/// <summary>What the agent refuses to start with, and what it says then.</summary>
public sealed class StartupTests
{
    private const int Failed = 1;
    private const int Usage = 2;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http://192.0.2.1:50051", "plain HTTP is served on loopback only")]
    [InlineData("http://0.0.0.0:50051", "plain HTTP is served on loopback only")]
    [InlineData("http://[::]:50051", "plain HTTP is served on loopback only")]
    [InlineData("https://localhost:50051", "expected https://ip:port")]
    [InlineData("http://localhost", "expected http://127.0.0.1:port")]
    [InlineData("unix://relative.sock", "expected unix:///absolute/path")]
    [InlineData("unix:///", "expected unix:///absolute/path")]
    [InlineData("", "expected unix:///path, https://ip:port or http://127.0.0.1:port")]
    public async Task An_endpoint_that_shows_maps_to_strangers_or_is_none_is_refused(string endpoint, string explanation)
    {
        CommandResult agent = await RunAgentAsync("--listen", endpoint, "--plaintext");

        Assert.Equal(Usage, agent.ExitCode);
        Assert.Contains($"listen '{endpoint}'", agent.Error, StringComparison.Ordinal);
        Assert.Contains(explanation, agent.Error, StringComparison.Ordinal);
        Assert.Empty(agent.Output);
    }

    [Fact]
    public async Task Plain_http_on_loopback_has_to_be_asked_for()
    {
        CommandResult agent = await RunAgentAsync("--listen", "http://127.0.0.1:0");

        Assert.Equal(Usage, agent.ExitCode);
        Assert.Contains("add --plaintext to allow it", agent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_violation_is_named_at_once()
    {
        using AgentSite site = new("""{ "limits": { "maxConnections": 0, "gentleCpuShare": 1.5, "writeTimeout": "00:00:00" } }""");

        CommandResult agent = await RunAgentAsync(
            "--config", site.ConfigurationPath, "--listen", "http://127.0.0.1:0", "--listen", "https://node:1");

        Assert.Equal(Usage, agent.ExitCode);
        Assert.Collection(
            agent.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.OrdinalIgnoreCase),
            line => Assert.Contains("limits.GentleCpuShare is 1.5; expected 0.001 to 1", line, StringComparison.OrdinalIgnoreCase),
            line => Assert.Contains("limits.MaxConnections is 0; expected 1 to 65536", line, StringComparison.OrdinalIgnoreCase),
            line => Assert.Contains("limits.WriteTimeout is 00:00:00; expected", line, StringComparison.OrdinalIgnoreCase),
            line => Assert.Contains("listen 'http://127.0.0.1:0'", line, StringComparison.Ordinal),
            line => Assert.Contains("listen 'https://node:1'", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_lies_where_it_is_started_is_neither_read_nor_watched()
    {
        using AgentSite site = new();
        site.Write("appsettings.json", "no configuration");

        await using RunningProgram agent = RunningProgram.Start(
            "env", ["-C", site.DirectoryPath, AgentSite.AgentProgram, .. site.CommandLine, "--simulate"]);
        await agent.WaitForLineAsync("Listening on", Cancelled);

        Assert.DoesNotContain(
            Directory.EnumerateFiles($"/proc/{agent.Id}/fdinfo"),
            file => File.ReadAllText(file).Contains("inotify", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{ \"listen\": ", "depth to be zero at the end")]
    [InlineData("{ \"lisen\": [] }", "lisen")]
    [InlineData("{ \"limits\": { \"maxStreams\": 1 } }", "maxStreams")]
    [InlineData("{ \"plaintext\": \"yes\" }", "$.plaintext")]
    [InlineData("null", "expected an object")]
    [InlineData("{ \"limits\": null }", "limits")]
    [InlineData("{ \"listen\": null }", "listen")]
    [InlineData("{ \"listen\": [null] }", "listen")]
    public async Task A_configuration_that_is_none_is_refused(string configuration, string explanation)
    {
        using AgentSite site = new(configuration);

        CommandResult agent = await RunAgentAsync("--config", site.ConfigurationPath);

        Assert.Equal(Usage, agent.ExitCode);
        Assert.StartsWith($"bpfremote-agent: --config {site.ConfigurationPath}: ", agent.Error, StringComparison.Ordinal);
        Assert.Contains(explanation, agent.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", agent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_that_is_missing_is_refused()
    {
        CommandResult agent = await RunAgentAsync("--config", "/nonexistent/agent.json");

        Assert.Equal(Usage, agent.ExitCode);
        Assert.Contains("/nonexistent/agent.json", agent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_option_is_refused()
    {
        CommandResult agent = await RunAgentAsync("--lisen", "unix:///tmp/agent.sock");

        Assert.Equal(Usage, agent.ExitCode);
        Assert.Contains("--lisen", agent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_socket_of_a_killed_agent_is_taken_over()
    {
        Require.Kernel();
        using AgentSite site = new();
        await using (AgentProcess killed = await site.StartAgentAsync(Cancelled))
        {
            await killed.Program.KillAsync();
        }

        Assert.True(File.Exists(site.SocketPath));
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        using BpfRemoteClient client = site.Connect();
        Assert.Equal("unix:uid=0", (await client.GetNodeAsync(Cancelled)).Principal);
    }

    [Fact]
    public async Task The_socket_of_a_live_agent_is_left_to_it()
    {
        Require.Kernel();
        using AgentSite site = new();
        await using AgentProcess first = await site.StartAgentAsync(Cancelled);

        CommandResult second = await RunAgentAsync([.. site.CommandLine]);

        Assert.Equal(Failed, second.ExitCode);
        Assert.Contains($"another agent listens at {site.SocketPath}", second.Error, StringComparison.Ordinal);
        using BpfRemoteClient client = site.Connect();
        Assert.NotEmpty((await client.GetNodeAsync(Cancelled)).BootId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("precious")]
    public async Task A_file_in_place_of_the_socket_is_kept(string contents)
    {
        Require.Kernel();
        using AgentSite site = new();
        await File.WriteAllTextAsync(site.SocketPath, contents, Cancelled);

        CommandResult agent = await RunAgentAsync([.. site.CommandLine]);

        Assert.Equal(Failed, agent.ExitCode);
        Assert.Contains(site.SocketPath, agent.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", agent.Error, StringComparison.Ordinal);
        Assert.Equal(contents, await File.ReadAllTextAsync(site.SocketPath, Cancelled));
    }

    [Fact]
    public async Task A_directory_in_place_of_the_socket_is_kept()
    {
        Require.Kernel();
        using AgentSite site = new();
        Directory.CreateDirectory(site.SocketPath);

        CommandResult agent = await RunAgentAsync([.. site.CommandLine]);

        Assert.Equal(Failed, agent.ExitCode);
        Assert.Contains(site.SocketPath, agent.Error, StringComparison.Ordinal);
        Assert.True(Directory.Exists(site.SocketPath));
    }

    [Fact]
    public async Task Without_libbpf_the_agent_says_what_to_install()
    {
        Require.Kernel();
        string[] mappings = await File.ReadAllLinesAsync("/proc/self/maps", Cancelled);
        string libbpf = mappings.First(line => line.Contains("/libbpf.so", StringComparison.Ordinal)).Split(' ')[^1];
        using AgentSite site = new();

        // In a mount namespace of its own, where an empty file hides the library.
        CommandResult agent = await Command.RunAsync(
            Require.Program("unshare"),
            ["--mount", "sh", "-c", "mount --bind /dev/null \"$0\" && exec \"$@\"", libbpf, AgentSite.AgentProgram, .. site.CommandLine],
            Cancelled);

        Assert.Equal(Failed, agent.ExitCode);
        Assert.Equal(
            "bpfremote-agent: libbpf.so.1 is not installed; install version 1.1 or later: apt install libbpf1 (Debian, Ubuntu), "
            + "dnf install libbpf (Fedora, RHEL), apk add libbpf (Alpine)\n",
            agent.Error);
        Assert.False(File.Exists(site.SocketPath));
    }

    private static Task<CommandResult> RunAgentAsync(params IEnumerable<string> arguments) =>
        Command.RunAsync(AgentSite.AgentProgram, arguments, Cancelled);
}
