using System.CommandLine;
using BpfRemote.Cli.Entries;

namespace BpfRemote.Cli.Arguments;

/// <summary>How entries are shown.</summary>
internal sealed class DisplayOptions
{
    private readonly Option<bool> _rawValues = RawValues();

    private readonly Option<string?> _perCpu = CheckedOptions.Choice("--percpu", [], "each", "sum", "max");

    private readonly Option<string?> _histogram = CheckedOptions.Choice("--histogram", [], "log2", "bpftrace", "linear");

    public DisplayOptions(Command command)
    {
        _perCpu.Description = "Show the value of each CPU of a per-CPU map (default), or one: their sum, or the largest.";
        _histogram.Description = "Draw a map whose keys end in a slot and whose values are counts as bars: slots by powers of two (log2, "
            + "as bcc), as bpftrace's hist() numbers them, or as they are (linear). Values with an array 'slots' are always drawn.";
        command.Add(_rawValues);
        command.Add(_perCpu);
        command.Add(_histogram);
    }

    /// <summary>Whether addresses are shown as numbers.</summary>
    public static Option<bool> RawValues() => new("--raw-values")
    {
        Description = "Show addresses, ports and the like as the plain numbers that they are.",
    };

    /// <exception cref="CommandException">The settings ask for a form that bars do not have.</exception>
    public Display Read(ParseResult parse, Session session)
    {
        SlotScale? histogram = parse.GetValue(_histogram) switch
        {
            "log2" => SlotScale.Log2,
            "bpftrace" => SlotScale.Bpftrace,
            "linear" => SlotScale.Linear,
            _ => null,
        };
        return histogram is null || session.Settings.Format == OutputFormat.Table
            ? new()
            {
                Width = session.Terminal.Width,
                Colour = session.Terminal.Colour,
                RawValues = parse.GetValue(_rawValues),
                PerCpu = parse.GetValue(_perCpu) switch
                {
                    "sum" => PerCpuMode.Sum,
                    "max" => PerCpuMode.Max,
                    _ => PerCpuMode.Each,
                },
                Histogram = histogram,
            }
            : throw CommandException.Usage("--histogram draws bars, which no other form than a table has");
    }
}
