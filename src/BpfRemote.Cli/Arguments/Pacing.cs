using System.CommandLine;
using BpfRemote.V1;

namespace BpfRemote.Cli.Arguments;

/// <summary><c>--pace gentle|full</c></summary>
internal static class Pacing
{
    private const string Gentle = "gentle";
    private const string Full = "full";

    public static Option<string?> Option()
    {
        Option<string?> option = CheckedOptions.Choice("--pace", [], Gentle, Full);
        option.Description = "gentle (default) spares the node: while the kernel copies entries, tracing programs on that CPU miss events. "
            + "full goes as fast as it can.";
        return option;
    }

    public static Pace Read(string? word) => word == Full ? Pace.Full : Pace.Gentle;
}
