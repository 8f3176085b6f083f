using System.Net.Sockets;
using BpfRemote.Client;

namespace BpfRemote.EndToEnd.Programs;

/// <summary>Where an agent runs: its socket, runtime directory and configuration outlive the process, as they do on a node.</summary>
internal sealed class AgentSite : IDisposable
{
    /// <summary>For tests of what is read, not of who may.</summary>
    private const string OpenPolicy = """
        { "rules": [{ "principals": ["unix:*", "anonymous"], "rights": ["list", "read", "full_pace"], "maps": [{ "name": "*" }] }] }
        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-e2e-");

    /// <param name="configuration">The agent's configuration file, JSON.</param>
    public AgentSite(string configuration = "{}")
    {
        File.WriteAllText(ConfigurationPath, configuration);

        // The server, which is another user, passes through.
        File.SetUnixFileMode(
            DirectoryPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
    }

    /// <summary>The agent under test: the one of this build, or the one that BPFREMOTE_TEST_AGENT names, such as a published one.</summary>
    public static string AgentProgram { get; } =
        Environment.GetEnvironmentVariable("BPFREMOTE_TEST_AGENT") ?? Require.BuiltPath("AgentProgram");

    /// <summary>The directory of everything here.</summary>
    public string DirectoryPath => _directory.FullName;

    /// <summary>The agent's unix socket.</summary>
    public string SocketPath => Path.Combine(DirectoryPath, "agent.sock");

    /// <summary>The agent's configuration file.</summary>
    public string ConfigurationPath => Path.Combine(DirectoryPath, "agent.json");

    /// <summary>The agent's address on that socket.</summary>
    public string Address => $"unix://{SocketPath}";

    /// <summary>Writes a file here that the server, which is another user, can read.</summary>
    /// <returns>Its path.</returns>
    public string Write(string name, string content)
    {
        string path = Path.Combine(DirectoryPath, name);
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        return path;
    }

    /// <summary>Starts an agent and waits until it listens.</summary>
    /// <param name="plaintext">Whether it listens on a free port of loopback too, and anybody may read everything.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="options">More of its options.</param>
    /// <exception cref="ProgramEndedException">It did not start.</exception>
    public async Task<AgentProcess> StartAgentAsync(
        CancellationToken cancellationToken, bool plaintext = false, params IEnumerable<string> options)
    {
        string[] http = [];
        if (plaintext)
        {
            string policy = Path.Combine(DirectoryPath, "open-policy.json");
            await File.WriteAllTextAsync(policy, OpenPolicy, cancellationToken);
            http = ["--listen", "http://127.0.0.1:0", "--plaintext", "--policy-file", policy];
        }

        RunningProgram program = RunningProgram.Start(AgentProgram, [.. CommandLine, .. http, .. options]);
        try
        {
            await program.WaitForLineAsync($"Listening on {Address}:", cancellationToken);
            return new AgentProcess(program);
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    /// <summary>The arguments that make an agent listen here.</summary>
    public IReadOnlyList<string> CommandLine =>
        ["--listen", Address, "--config", ConfigurationPath, "--runtime-dir", Path.Combine(DirectoryPath, "run")];

    /// <summary>A client of the agent here.</summary>
    public BpfRemoteClient Connect() => BpfRemoteClient.Connect(new() { Address = Address });

    /// <summary>Plain HTTP to the agent here, over as many connections as the calls at once ask for.</summary>
    public HttpMessageInvoker OpenHttp() => new(new SocketsHttpHandler
    {
        EnableMultipleHttp2Connections = true,
        ConnectCallback = async (_, cancellationToken) =>
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    public void Dispose() => _directory.Delete(recursive: true);
}
