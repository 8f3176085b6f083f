using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Output;

/// <summary>Writes entries for people: a row each where keys and values are small, else as a hex dump.</summary>
/// <param name="output">Where to write.</param>
/// <param name="severalMaps">Whether the selector fits several maps, so that each says which it is.</param>
/// <param name="colour">Whether titles may be bold.</param>
internal sealed class TableEntryWriter(OutputBuffer output, bool severalMaps, bool colour) : EntryWriter(output)
{
    // What fits 80 columns as a row.
    private const uint MaxRowBytes = 16;

    private EntryWriter? _entries;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        if (severalMaps)
        {
            Output.Write($"{(_entries is null ? "" : "\n")}{map.Id}: {map.TypeName}  name {map.Name}  flags 0x{map.Flags:x}\n");
        }

        uint valueSize = layout.ValueKind == ValueKind.PerCpu ? layout.ValueSize : layout.ValueStride;
        _entries = layout.KeySize <= MaxRowBytes && valueSize <= MaxRowBytes
            ? new RowEntryWriter(Output, colour)
            : new BlockEntryWriter(Output);
        _entries.BeginMap(map, layout, schema);
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => _entries!.WriteEntry(key, value);

    public override void EndMap(bool complete) => _entries!.EndMap(complete);
}
