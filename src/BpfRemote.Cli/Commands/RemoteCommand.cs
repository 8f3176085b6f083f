using System.CommandLine;

namespace BpfRemote.Cli.Commands;

/// <summary>A command that asks the agent.</summary>
internal abstract class RemoteCommand(string name, string description) : Command(name, description)
{
    /// <summary>Command lines worth showing in the help, one a line, each with what it does after <c>#</c>.</summary>
    public abstract string Examples { get; }

    /// <summary>Runs the command.</summary>
    /// <param name="session">Its settings, output and agent.</param>
    /// <param name="parse">The values of its own options and arguments.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CommandException">It failed, or the command line is wrong.</exception>
    public abstract Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken);

    /// <summary>The words of bpftool's grammar that follow the command.</summary>
    protected static Argument<string[]> Words(string grammar, string description) => new(grammar)
    {
        Description = description,
        // Missing words are for their reader to miss: it can say what it expected.
        Arity = ArgumentArity.ZeroOrMore,
    };
}
