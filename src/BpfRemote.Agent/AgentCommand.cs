using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using BpfRemote.Agent.Access.Policy;
using BpfRemote.Agent.Hosting;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent;

/// <summary>The agent's command line.</summary>
public static class AgentCommand
{
    /// <summary>Exit code of a command line or configuration that is not valid.</summary>
    private const int UsageError = 2;

    /// <summary>Parses a command line and the configuration file it names.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="options">Valid options, where the agent is to run.</param>
    /// <param name="exitCode">The exit code, where it is not: help and version 0, mistakes 2, all named on stderr.</param>
    public static bool TryParse(string[] args, [NotNullWhen(true)] out AgentOptions? options, out int exitCode)
    {
        Option<string[]> listen = new("--listen")
        {
            Description = $"Where to listen; may be given again. unix:///path, https://ip:port, or http://127.0.0.1:port with --plaintext. [default: {AgentOptions.DefaultEndpoint}]",
            HelpName = "ENDPOINT",
        };
        Option<string> tlsCert = new("--tls-cert-file") { Description = "The certificate of https:// endpoints, intermediates after it: PEM.", HelpName = "FILE" };
        Option<string> tlsKey = new("--tls-key-file") { Description = "Its private key: PEM.", HelpName = "FILE" };
        Option<string> tlsClientCa = new("--tls-client-ca-file") { Description = "The authorities whose client certificates are taken: PEM.", HelpName = "FILE" };
        Option<string> policy = new("--policy-file")
        {
            Description = "Who may do what with which maps: JSON. [default: root over the unix socket everything, nobody else anything]",
            HelpName = "FILE",
        };
        Option<string> audit = new("--audit-log")
        {
            Description = $"Where a line for each call goes: a file, or {AgentOptions.Journal}. [default: nowhere]",
            HelpName = "FILE",
        };
        Option<string> config = new("--config") { Description = "A JSON file of options; the command line goes before it.", HelpName = "FILE" };
        Option<bool> plaintext = new("--plaintext") { Description = "Allow plain HTTP on loopback: whoever can log in to this machine is 'anonymous' to the policy." };
        Option<bool> simulate = new("--simulate") { Description = "Serve an in-memory kernel with sample maps: any OS, no privilege." };
        Option<string> runtime = new("--runtime-dir")
        {
            Description = "Where token keys are kept, over restarts. [default: $RUNTIME_DIRECTORY, else /run/bpfremote]",
            HelpName = "DIR",
        };
        Option<string> access = new("--access")
        {
            Description = "Which maps there are: all, by id, or the pinned ones, which takes no capability. [default: enumerate]",
            HelpName = "enumerate|pins",
        };
        access.AcceptOnlyFromAmong("enumerate", "pins");
        Option<string> user = new("--user")
        {
            Description = "The user that talks to clients, where the agent is started by root. [default: bpfremote, else nobody]",
            HelpName = "NAME",
        };
        Option<bool> noLockdown = new("--no-lockdown") { Description = "Stay one process with all its privileges, for debugging." };
        Option<string> inherited = new("--inherited") { Description = "From the broker to the server that it starts.", Hidden = true };
        inherited.Validators.Add(given =>
        {
            if (InheritedFiles.TryParse(given.GetValueOrDefault<string>() ?? "") is null)
            {
                given.AddError("--inherited is what a broker tells the server that it starts; expected file descriptors");
            }
        });
        RootCommand command = new("Serves the eBPF maps of this node over gRPC, read-only.")
        {
            listen, config, policy, access, tlsCert, tlsKey, tlsClientCa, plaintext, audit, simulate, runtime, user, noLockdown, inherited,
            PolicyCommand.Create(),
        };

        AgentOptions? parsed = null;
        command.SetAction(result =>
        {
            AgentOptions file;
            try
            {
                file = result.GetValue(config) is { } path ? AgentOptions.Load(path) : new AgentOptions();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
            {
                Console.Error.WriteLine($"bpfremote-agent: --config {result.GetValue(config)}: {InheritedFiles.Explain(e, result.GetValue(inherited) is not null)}");
                return UsageError;
            }

            AgentOptions given = file with
            {
                Listen = result.GetValue(listen) is { Length: > 0 } endpoints ? endpoints : file.Listen,
                Plaintext = file.Plaintext || result.GetValue(plaintext),
                TlsCertFile = result.GetValue(tlsCert) ?? file.TlsCertFile,
                TlsKeyFile = result.GetValue(tlsKey) ?? file.TlsKeyFile,
                TlsClientCaFile = result.GetValue(tlsClientCa) ?? file.TlsClientCaFile,
                PolicyFile = result.GetValue(policy) ?? file.PolicyFile,
                AuditLog = result.GetValue(audit) ?? file.AuditLog,
                Simulate = file.Simulate || result.GetValue(simulate),
                Access = result.GetValue(access) is { } mode ? Enum.Parse<MapAccess>(mode, ignoreCase: true) : file.Access,
                RuntimeDirectory = result.GetValue(runtime) ?? file.RuntimeDirectory,
                User = result.GetValue(user) ?? file.User,
                NoLockdown = file.NoLockdown || result.GetValue(noLockdown),
                Inherited = result.GetValue(inherited) is { } files ? InheritedFiles.TryParse(files) : null,
            };
            IReadOnlyList<string> violations = given.Violations();
            foreach (string violation in violations)
            {
                Console.Error.WriteLine($"bpfremote-agent: {violation}");
            }

            parsed = violations.Count == 0 ? given : null;
            return violations.Count == 0 ? 0 : UsageError;
        });

        ParseResult result = command.Parse(args);
        exitCode = result.Invoke();
        if (result.Errors.Count > 0)
        {
            exitCode = UsageError;
        }

        options = parsed;
        return options is not null;
    }
}
