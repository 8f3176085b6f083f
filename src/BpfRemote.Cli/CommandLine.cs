using System.CommandLine;
using System.CommandLine.Help;
using BpfRemote.Cli.Commands;
using BpfRemote.Cli.Output;

namespace BpfRemote.Cli;

/// <summary>The program: reads a command line, runs what it says, and reports what fails.</summary>
internal sealed class CommandLine
{
    private const int MaxHelpWidth = 100;

    private static readonly ParserConfiguration Grammar = new() { ResponseFileTokenReplacer = null };

    private readonly Terminal _terminal;
    private readonly TimeProvider _time;
    private readonly OutputBuffer _output;
    private readonly GlobalOptions _options = new();
    private readonly RootCommand _root;

    /// <param name="terminal">What it writes to.</param>
    /// <param name="time">What it waits by; null for the clock of this machine.</param>
    public CommandLine(Terminal terminal, TimeProvider? time = null)
    {
        _terminal = terminal;
        _time = time ?? TimeProvider.System;
        _output = new(terminal.Output);
        _root = new("Inspect the eBPF maps of a node through its bpfremote-agent, in bpftool's grammar.")
        {
            Group("node", "The node and its agent.", new NodeShow(), new NodeImpact()),
            Group(
                "map", "The maps of the node.",
                new MapShow(), new MapDump(), new MapLookup(), new MapCount(), new MapTop(), new MapDiff()),
            Group("bundle", "Maps in a file, for a support case.", new BundleInspect(), new BundleCreate()),
        };
        _options.AddTo(_root);
        HelpOption help = _root.Options.OfType<HelpOption>().Single();
        HelpAction plainHelp = (HelpAction)help.Action!;
        plainHelp.MaxWidth = Math.Min(terminal.Width, MaxHelpWidth);
        help.Action = new HelpWithExamples(plainHelp);
        _root.SetAction(plainHelp.Invoke);
    }

    /// <summary>Runs the program.</summary>
    /// <param name="args">The words of the command line.</param>
    /// <param name="interrupted">Ends the command as Ctrl-C does.</param>
    /// <returns>The exit status, an <see cref="ExitCode"/>.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> args, CancellationToken interrupted)
    {
        ParseResult parse = _root.Parse(Abbreviations.Expand(_root, args), Grammar);
        try
        {
            if (parse.Errors.Count > 0 && parse.Action is not { ClearsParseErrors: true })
            {
                throw CommandException.Usage(string.Join(" ", parse.Errors.Select(static error => error.Message)));
            }

            // Help and version are the parser's own: text, and small.
            using StringWriter text = new();
            InvocationConfiguration invocation = new()
            {
                Output = text,
                Error = _terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            int exitCode = await parse.InvokeAsync(invocation, interrupted);
            _output.Write(text.ToString());
            _output.Flush();
            return exitCode;
        }
        catch (Exception error) when (Failure.Of(error) is { } failure)
        {
            Report(failure, parse);
            return (int)failure.ExitCode;
        }
    }

    private Command Group(string name, string description, params ReadOnlySpan<RemoteCommand> commands)
    {
        Command group = new(name, description);
        foreach (RemoteCommand command in commands)
        {
            command.SetAction((parse, cancellationToken) => RunAsync(command, parse, cancellationToken));
            group.Add(command);
        }

        // As bpftool, whose `map` alone is `map show`.
        group.Action = commands[0].Action;
        return group;
    }

    private async Task<int> RunAsync(RemoteCommand command, ParseResult parse, CancellationToken cancellationToken)
    {
        using Session session = new(_options.Read(parse), _terminal, _output, _time);
        ExitCode exitCode = await command.RunAsync(session, parse, cancellationToken);
        _output.Flush();
        return (int)exitCode;
    }

    private void Report(Failure failure, ParseResult parse)
    {
        if (failure.Message.Length == 0)
        {
            return;
        }

        if (_options.JsonErrorStyle(parse) is { } style)
        {
            _output.Write($"{style.ErrorObject(failure.Message, depth: 0)}\n");
            _output.Flush();
            return;
        }

        _terminal.Say($"Error: {failure.Message}");
        if (failure.ExitCode == ExitCode.Usage)
        {
            _terminal.Say($"Try '{CommandName(parse)} --help'.");
        }
    }

    private static string CommandName(ParseResult parse)
    {
        Command command = parse.CommandResult.Command;
        IEnumerable<string> names = command.Parents.OfType<Command>().Where(static parent => parent is not RootCommand)
            .Select(static parent => parent.Name).Append(command is RootCommand ? "" : command.Name);
        return string.Join(' ', names.Prepend("bpfremote")).TrimEnd();
    }
}
