using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Entries;

/// <summary>Chooses what writes entries, by the form that the settings ask for.</summary>
internal static class EntryWriters
{
    /// <summary>What writes the entries of a dump.</summary>
    /// <param name="session">Its settings and output.</param>
    /// <param name="display">How to show them.</param>
    /// <param name="severalMaps">Whether it is of several maps.</param>
    /// <param name="resumed">Whether it begins in the middle of a map.</param>
    public static EntryWriter ForDump(Session session, Display display, bool severalMaps, bool resumed)
    {
        OutputBuffer output = session.Output;
        EntryWriter writer = session.Settings.Format switch
        {
            OutputFormat.Json => new JsonEntryWriter(output, session.Settings.JsonStyle, severalMaps, resumed),
            OutputFormat.Ndjson => new JsonLinesEntryWriter(output, JsonStyle.Compact),
            OutputFormat.Csv => new CsvEntryWriter(output, display.RawValues),
            OutputFormat.Raw => new RawEntryWriter(output),
            _ => new TableEntryWriter(output, severalMaps, display),
        };
        return Combined(output, display, writer);
    }

    /// <summary>What writes the one entry of a lookup.</summary>
    /// <param name="session">Its settings and output.</param>
    /// <param name="display">How to show it.</param>
    public static EntryWriter ForLookup(Session session, Display display) => session.Settings.Format == OutputFormat.Json
        ? Combined(session.Output, display, new JsonLinesEntryWriter(session.Output, session.Settings.JsonStyle))
        : ForDump(session, display, severalMaps: false, resumed: false);

    private static EntryWriter Combined(OutputBuffer output, Display display, EntryWriter writer) =>
        display.PerCpu == PerCpuMode.Each ? writer : new CombinedEntryWriter(output, writer, display.PerCpu);
}
