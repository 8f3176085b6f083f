using BpfRemote.Btf;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>
/// Writes entries for people: as what they are where their types are known; else a row each where keys and values are small, or as a
/// hex dump.
/// </summary>
/// <param name="output">Where to write.</param>
/// <param name="severalMaps">Whether the selector fits several maps, so that each says which it is.</param>
/// <param name="display">How to show them.</param>
internal sealed class TableEntryWriter(OutputBuffer output, bool severalMaps, Display display) : EntryWriter(output)
{
    // Larger ones are easier to read as a hex dump, however wide the terminal is.
    private const uint MaxRowBytes = 16;

    private EntryWriter? _entries;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        if (severalMaps)
        {
            Output.Write($"{(_entries is null ? "" : "\n")}{map.Id}: {map.TypeName}  name {map.Name}  flags 0x{map.Flags:x}\n");
        }

        _entries = Choose(map, layout, layout.ValueError.Length > 0 ? null : schema);
        _entries.BeginMap(map, layout, schema);
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => _entries!.WriteEntry(key, value);

    public override void Flush() => _entries!.Flush();

    public override void EndMap(bool complete) => _entries!.EndMap(complete);

    private EntryWriter Choose(Map map, Layout layout, MapSchema? schema)
    {
        if (display.Histogram is { } scale)
        {
            return new CombinedEntryWriter(Output, new SlotMapEntryWriter(Output, scale, display), PerCpuMode.Sum);
        }

        if (schema is not null)
        {
            return SlotsEntryWriter.TryFindSlots(schema.Value, out BtfField? slots)
                ? new SlotsEntryWriter(Output, slots, display)
                : new FieldEntryWriter(Output, display);
        }

        if (StackEntryWriter.CanWrite(map, layout))
        {
            return new StackEntryWriter(Output, display.Colour);
        }

        uint valueSize = layout.ValueKind == ValueKind.PerCpu ? layout.ValueSize : layout.ValueStride;
        return layout.KeySize <= MaxRowBytes && valueSize <= MaxRowBytes && RowEntryWriter.LeastWidth(layout) <= display.Width
            ? new RowEntryWriter(Output, display.Colour)
            : new BlockEntryWriter(Output);
    }
}
