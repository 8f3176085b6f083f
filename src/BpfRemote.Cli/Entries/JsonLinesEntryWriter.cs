using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Writes bpftool's JSON entries one after the other, each on lines of its own.</summary>
internal sealed class JsonLinesEntryWriter(OutputBuffer output, JsonStyle style) : EntryWriter(output)
{
    private JsonEntry? _entry;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema) => _entry = new(layout, schema, style, depth: 0);

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        _entry!.Write(Output, key, value);
        Output.Write("\n"u8);
    }
}
