using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipes;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using BpfRemote.Agent.Tokens;
using BpfRemote.Libbpf;
using BpfRemote.Libbpf.Lockdown;
using BpfRemote.Libbpf.Separation;

namespace BpfRemote.Agent.Hosting;

/// <summary>Runs the agent as two processes: this one keeps the privilege and opens maps, and the server that it starts, as another
/// user and without any capability, talks to clients.</summary>
internal static class BrokerHost
{
    private const int Failed = 1;
    private const string OwnUser = "bpfremote";
    private const string NobodysUser = "nobody";

    private static readonly PosixSignal[] Ends = [PosixSignal.SIGTERM, PosixSignal.SIGINT];

    /// <summary>Before it, reading a map that is open takes a capability where unprivileged eBPF is disabled.</summary>
    private static readonly Version OldestKernel = new(5, 19);

    /// <summary>Whether the agent runs as two processes: if this one may start another as another user.</summary>
    public static bool IsFor(AgentOptions options) =>
        OperatingSystem.IsLinux()
        && !options.Simulate && !options.NoLockdown && options.Inherited is null
        && Environment.OSVersion.Version >= OldestKernel
        && CapabilitySet.OfThisThread().Contains(CapabilitySet.SetUid | CapabilitySet.SetGid);

    /// <summary>Starts the server, and opens maps for it until it ends.</summary>
    /// <returns>The server's exit code.</returns>
    public static int Run(AgentOptions options, string[] args)
    {
        List<Socket> sockets = [];
        try
        {
            SystemUser user = FindUser(options.User);
            using Broker broker = Broker.Create(options.Access);
            using AnonymousPipeServerStream hangups = new(PipeDirection.Out, HandleInheritability.Inheritable);
            sockets.AddRange(AgentListeners.UnixPaths(options).Select(AgentListeners.Bind));
            PrepareKeyDirectory(options, user);
            InheritedFiles inherited = new(
                broker.ServerOpens, broker.ServerWalks, (int)hangups.ClientSafePipeHandle.DangerousGetHandle(), [.. sockets.Select(socket => broker.Share(socket.SafeHandle))]);
            using Process server = Start(user, args, inherited);
            hangups.DisposeLocalCopyOfClientHandle();
            List<PosixSignalRegistration> signals = [.. Ends.Select(end => PosixSignalRegistration.Create(end, signal =>
            {
                // The server drains, and with its end comes this one's.
                signal.Cancel = true;
                broker.HangUp();
            }))];
            signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                signal.Cancel = true;
                PassOn(hangups);
            }));
            broker.Serve(server.Id);
            server.WaitForExit();
            signals.ForEach(signal => signal.Dispose());
            return server.ExitCode;
        }
        catch (Exception e) when (e is IOException or BpfUnavailableException or BpfException or SocketException or UnauthorizedAccessException or Win32Exception)
        {
            Console.Error.WriteLine($"bpfremote-agent: {e.Message}");
            return Failed;
        }
        finally
        {
            // Removes their files.
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    /// <summary>Files are the server's to read, and it is not this process's to signal: it is another user's.</summary>
    private static void PassOn(AnonymousPipeServerStream hangups)
    {
        try
        {
            hangups.WriteByte(0);
        }
        catch (IOException)
        {
            // The server has ended, and with it this process will.
        }
    }

    /// <exception cref="BpfUnavailableException">There is no such user, or it is root.</exception>
    private static SystemUser FindUser(string? name)
    {
        if (name is null)
        {
            return SystemUser.Find(OwnUser) ?? SystemUser.Find(NobodysUser) ?? throw new BpfUnavailableException(
                $"there is neither a user '{OwnUser}' nor '{NobodysUser}' for the server to run as; add one, or name one with --user");
        }

        SystemUser user = SystemUser.Find(name) ?? throw new BpfUnavailableException($"--user {name}: there is no such user");
        return user.Uid != 0 ? user : throw new BpfUnavailableException($"--user {name}: is root; expected a user without privilege");
    }

    /// <summary>The keys of tokens are the server's own. Those of an agent that ran as one process, as root, become its.</summary>
    private static void PrepareKeyDirectory(AgentOptions options, SystemUser user)
    {
        if (!CapabilitySet.OfThisThread().Contains(CapabilitySet.Chown | CapabilitySet.DacReadSearch))
        {
            return; // a service manager that leaves so little has prepared it; if not, the server says so
        }

        Directory.CreateDirectory(options.ResolveRuntimeDirectory());
        string keys = options.ResolveKeyDirectory();
        TokenKeyRing.CreateDirectory(keys);
        foreach (string file in Directory.EnumerateFiles(keys))
        {
            user.Own(file);
        }

        user.Own(keys);
    }

    private static Process Start(SystemUser user, string[] args, InheritedFiles inherited)
    {
        string program = Environment.ProcessPath!;
        ProcessStartInfo start = new(program, [.. ProgramArguments(program), .. args, "--inherited", $"{inherited}"]) { UserName = user.Name };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new BpfUnavailableException($"cannot start the server, {program}, as user '{user.Name}', who must be able to read and run it: {e.Message}", e);
        }
    }

    /// <summary>What comes before the arguments where the program is .NET's host.</summary>
    private static string[] ProgramArguments(string program) =>
        Path.GetFileName(program) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
}
