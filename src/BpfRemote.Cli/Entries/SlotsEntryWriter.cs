using System.Diagnostics.CodeAnalysis;
using BpfRemote.Btf;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Writes entries whose values are histograms, <c>struct hist { __u32 slots[27]; … }</c>, as bars below what else there is.</summary>
internal sealed class SlotsEntryWriter(OutputBuffer output, BtfField slots, Display display) : EntryWriter(output)
{
    private Layout _layout = new();
    private FieldTitle _key = new([], colour: false);
    private FieldTitle _others = new([], colour: false);
    private bool _any;

    /// <summary>Finds the array of slots in a value.</summary>
    public static bool TryFindSlots(BtfValueLayout value, [NotNullWhen(true)] out BtfField? slots) =>
        value.TryGetField("slots", out slots) && slots.Layout.Element is { Kind: BtfValueKind.Integer };

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        _layout = layout;
        _key = new(schema!.Key is { } key ? FieldColumn.Of(key, "key", display.RawValues) : [], display.Colour);
        _others = new(
            [.. FieldColumn.Of(schema.Value, "value", display.RawValues).Where(column => column.Title != slots.Name)], display.Colour);
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int blocks = _layout.ValueKind == ValueKind.PerCpu ? _layout.PossibleCpuIds.Count : 1;
        int stride = value.Length / blocks;
        for (int i = 0; i < blocks; i++)
        {
            ReadOnlySpan<byte> block = value.Slice(i * stride, stride);
            Output.Write(_any ? "\n"u8 : default);
            _any = true;
            bool hasTitle = _key.Write(Output, key, isFirst: true);
            if (_layout.ValueKind == ValueKind.PerCpu)
            {
                Output.Write($"{(hasTitle ? "  " : "")}cpu {_layout.PossibleCpuIds[i]}");
                hasTitle = true;
            }

            hasTitle |= _others.Write(Output, block, isFirst: !hasTitle);
            Output.Write(hasTitle ? "\n"u8 : default);
            Bars.Write(Output, Counts(block), SlotScale.Log2, display.Width);
        }
    }

    private Dictionary<ulong, ulong> Counts(ReadOnlySpan<byte> value)
    {
        BtfValue array = slots.Layout.Read(value[slots.Offset..]);
        Dictionary<ulong, ulong> counts = new(array.Count);
        for (int i = 0; i < array.Count; i++)
        {
            counts.Add((ulong)i, (ulong)Math.Max(0, array[i].ReadInt64()));
        }

        return counts;
    }
}
