using System.Net.Sockets;
using BpfRemote.Btf;
using BpfRemote.Cli.Output;
using BpfRemote.Client;

namespace BpfRemote.Cli;

/// <summary>What a failed command tells the user and the shell.</summary>
/// <param name="ExitCode">The exit status.</param>
/// <param name="Message">The message; empty where the status says enough.</param>
internal sealed record Failure(ExitCode ExitCode, string Message)
{
    /// <summary>What an exception means to the user; <see langword="null"/> for one that is a defect of this program.</summary>
    public static Failure? Of(Exception error) => error switch
    {
        CommandException command => new(command.ExitCode, command.Message),
        SchemaException or BtfFormatException or BundleFormatException => new(ExitCode.Failed, error.Message),
        OperationCanceledException => new(ExitCode.Interrupted, "interrupted"),
        OutputException output => output.ReaderIsGone ? new(ExitCode.OutputClosed, "") : new(ExitCode.Failed, output.Message),
        MapNotFoundException => new(ExitCode.NotFound, error.Message),
        PermissionDeniedException denied => new(ExitCode.PermissionDenied, Describe(denied)),
        AgentUnreachableException when error.GetBaseException() is SocketException { SocketErrorCode: SocketError.AccessDenied } =>
            new(ExitCode.PermissionDenied, error.Message),
        BpfRemoteException remote => new(ExitCode.Failed, Describe(remote)),
        _ => null,
    };

    private static string Describe(BpfRemoteException error) =>
        error.Message.Length > 0 ? error.Message : $"the agent answered {error.StatusCode} and no reason";
}
