using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Writes key and value bytes of one entry after the other with nothing between, per-CPU padding included.</summary>
internal sealed class RawEntryWriter(OutputBuffer output) : EntryWriter(output)
{
    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Output.Write(key);
        Output.Write(value);
    }
}
