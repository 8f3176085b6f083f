using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using BpfRemote.Cli.Commands;

namespace BpfRemote.Cli;

/// <summary>The parser's help, followed by the command's examples.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override bool Terminating => true;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int result = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is RemoteCommand { Examples: var examples })
        {
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (string line in examples.Split('\n'))
            {
                output.WriteLine($"  {line}");
            }
        }

        return result;
    }
}
