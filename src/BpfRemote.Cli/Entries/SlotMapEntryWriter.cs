using BpfRemote.Btf;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>
/// Writes a map whose keys end in the slot of a histogram and whose values are counts, as bcc's <c>BPF_HISTOGRAM</c> and bpftrace's
/// <c>hist()</c> make them: bars for each of what else the keys say. Entries have one value for all CPUs.
/// </summary>
internal sealed class SlotMapEntryWriter(OutputBuffer output, SlotScale scale, Display display) : EntryWriter(output)
{
    // How bpftrace keeps its slots, whose maps say nothing of their types.
    private const int UntypedSlotSize = 8;

    private readonly SortedDictionary<string, Group> _groups = new(StringComparer.Ordinal);
    private Layout _layout = new();
    private BtfField? _slot;
    private FieldTitle? _title;
    private BtfField? _count;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        _layout = layout;
        _groups.Clear();
        _slot = LastNumber(schema?.Key);
        _count = LastNumber(schema?.Value);
        _title = schema?.Key is { } key && _slot is not null
            ? new([.. FieldColumn.Of(key, "key", display.RawValues).Where(column => column.Title != _slot.Name && _slot.Name.Length > 0)], display.Colour)
            : null;
        if (layout.ValueError.Length > 0)
        {
            throw new CommandException(
                ExitCode.Failed, $"the kernel gives no values of map {map.Id} ({layout.ValueError}): there is nothing to draw");
        }

        if (_count is null && !NodeNumber.Fits(layout.ValueStride))
        {
            throw CommandException.Usage(
                $"--histogram is for maps whose values are counts; those of map {map.Id} have {layout.ValueStride} bytes");
        }
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        byte[] rest = key.ToArray();
        ulong slot;
        if (_slot is not null)
        {
            slot = Read(_slot, key);
            rest.AsSpan(_slot.Offset, _slot.Layout.Size).Clear();
        }
        else
        {
            int size = Math.Min(UntypedSlotSize, key.Length);
            slot = NodeNumber.Read(key[^size..], _layout.ByteOrder);
            rest = rest[..^size];
        }

        string name = Convert.ToHexStringLower(rest);
        if (!_groups.TryGetValue(name, out Group? group))
        {
            _groups.Add(name, group = new(rest, []));
        }

        group.Counts[slot] = group.Counts.GetValueOrDefault(slot) + Count(value);
    }

    public override void EndMap(bool complete)
    {
        bool any = false;
        foreach ((string name, Group group) in _groups)
        {
            Output.Write(any ? "\n"u8 : default);
            any = true;
            if (_title is not null)
            {
                Output.Write(_title.Write(Output, group.Key, isFirst: true) ? "\n"u8 : default);
            }
            else if (name.Length > 0)
            {
                Output.Write($"{TextStyle.Dim("key =", display.Colour)} {name}\n");
            }

            Bars.Write(Output, group.Counts, scale, display.Width);
        }
    }

    private static BtfField? LastNumber(BtfValueLayout? layout) =>
        layout is not null && layout.TryGetLeaves(int.MaxValue, out IReadOnlyList<BtfField> leaves)
            ? leaves.LastOrDefault(static leaf => leaf.Layout.Kind == BtfValueKind.Integer && leaf.BitSize == 0)
            : null;

    private ulong Count(ReadOnlySpan<byte> value) => _count is not null ? Read(_count, value) : NodeNumber.Read(value, _layout.ByteOrder);

    private static ulong Read(BtfField field, ReadOnlySpan<byte> whole) =>
        (ulong)Math.Max(0, field.Layout.Read(whole[field.Offset..]).ReadInt64());

    private sealed record Group(byte[] Key, Dictionary<ulong, ulong> Counts);
}
