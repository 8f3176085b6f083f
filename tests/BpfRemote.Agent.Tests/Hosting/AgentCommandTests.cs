using BpfRemote.Agent.Hosting;
using BpfRemote.Libbpf;
using Xunit;

namespace BpfRemote.Agent.Tests.Hosting;

public sealed class AgentCommandTests
{
    [Fact]
    public void Nothing_given_is_the_default()
    {
        Assert.True(AgentCommand.TryParse([], out AgentOptions? options, out _));
        Assert.Equal([AgentOptions.DefaultEndpoint], options.Listen);
    }

    [Fact]
    public void Options_are_taken()
    {
        Assert.True(AgentCommand.TryParse(
            ["--listen", "unix:///tmp/a", "--listen", "http://127.0.0.1:0", "--plaintext", "--simulate", "--runtime-dir", "/tmp/r"],
            out AgentOptions? options,
            out _));
        Assert.Equal(["unix:///tmp/a", "http://127.0.0.1:0"], options.Listen);
        Assert.True(options.Plaintext);
        Assert.True(options.Simulate);
        Assert.Equal("/tmp/r", options.ResolveRuntimeDirectory());
    }

    [Fact]
    public void Privilege_is_a_matter_of_options()
    {
        Assert.True(AgentCommand.TryParse(["--access", "pins", "--user", "daemon", "--no-lockdown"], out AgentOptions? options, out _));
        Assert.Equal((MapAccess.Pins, "daemon", true), (options.Access, options.User, options.NoLockdown));
        Assert.True(AgentCommand.TryParse([], out AgentOptions? defaults, out _));
        Assert.Equal((MapAccess.Enumerate, null, false), (defaults.Access, defaults.User, defaults.NoLockdown));
        Assert.Null(defaults.Inherited);
    }

    [Fact]
    public void What_a_broker_hands_down_arrives()
    {
        InheritedFiles files = new(3, 40, 7, [5, 6]);

        Assert.True(AgentCommand.TryParse(["--inherited", $"{files}"], out AgentOptions? options, out _));

        Assert.Equal("3,40,7,5,6", $"{options.Inherited}");
        Assert.Equal([5, 6], options.Inherited!.Sockets);
    }

    [Theory]
    [InlineData("--listen", "http://0.0.0.0:7070", "--plaintext")]
    [InlineData("--listen", "http://127.0.0.1:7070")]
    [InlineData("--no-such-option")]
    [InlineData("stray")]
    [InlineData("--config", "/does/not/exist")]
    [InlineData("--access", "all")]
    [InlineData("--inherited", "standard input")]
    [InlineData("--inherited", "3")]
    public void Mistakes_exit_with_2(params string[] args)
    {
        Assert.False(AgentCommand.TryParse(args, out AgentOptions? options, out int exitCode));
        Assert.Null(options);
        Assert.Equal(2, exitCode);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    public void Help_and_version_exit_with_0(string option)
    {
        Assert.False(AgentCommand.TryParse([option], out _, out int exitCode));
        Assert.Equal(0, exitCode);
    }
}
