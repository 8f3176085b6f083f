namespace BpfRemote.Cli;

/// <summary>Ends a command with a message for the user.</summary>
internal sealed class CommandException(ExitCode exitCode, string message) : Exception(message)
{
    /// <summary>The exit status to end with.</summary>
    public ExitCode ExitCode { get; } = exitCode;

    /// <summary>The command line is wrong.</summary>
    public static CommandException Usage(string message) => new(ExitCode.Usage, message);
}
