using System.Buffers;
using System.Text;
using BpfRemote.Btf;

namespace BpfRemote.Cli.Diffs;

/// <summary>Finds which fields of a value changed, and which elements of arrays.</summary>
internal sealed class FieldChanges
{
    private const int MaxFields = 4096;

    private readonly IReadOnlyList<BtfField> _fields;
    private readonly Dictionary<BtfField, BtfTextFormat> _formats = [];
    private readonly ArrayBufferWriter<byte> _text = new();

    /// <param name="layout">Of the values.</param>
    public FieldChanges(BtfValueLayout layout) => _fields = Fields(layout);

    /// <summary>The fields that changed; none where only padding did.</summary>
    /// <param name="old">What the value was.</param>
    /// <param name="now">What it is.</param>
    public List<FieldChange> Find(ReadOnlySpan<byte> old, ReadOnlySpan<byte> now)
    {
        List<FieldChange> changes = [];
        foreach (BtfField field in _fields)
        {
            Compare(field, old, now, changes);
        }

        return changes;
    }

    // Too many to name one by one are one.
    private static IReadOnlyList<BtfField> Fields(BtfValueLayout layout) =>
        layout.TryGetLeaves(MaxFields, out IReadOnlyList<BtfField> fields) ? fields : [new("", layout, 0, 0, 0)];

    private void Compare(BtfField field, ReadOnlySpan<byte> old, ReadOnlySpan<byte> now, List<FieldChange> changes)
    {
        BtfValueLayout layout = field.Layout;
        if (field.BitSize == 0 && Bytes(old, field).SequenceEqual(Bytes(now, field)))
        {
            return;
        }

        // Bytes are a text, an address or the like: one thing to people.
        if (layout is { Kind: BtfValueKind.Array, Element: { Size: > 1 } element })
        {
            CompareElements(field, element, old, now, changes);
            return;
        }

        string before = Text(field, old), after = Text(field, now);
        if (before != after)
        {
            changes.Add(new(field.Name, before, after));
        }
    }

    private void CompareElements(
        BtfField array, BtfValueLayout element, ReadOnlySpan<byte> old, ReadOnlySpan<byte> now, List<FieldChange> changes)
    {
        IReadOnlyList<BtfField> inner = Fields(element);
        for (int i = 0; i < array.Layout.Count; i++)
        {
            int offset = array.Offset + (i * element.Size);
            if (old.Slice(offset, element.Size).SequenceEqual(now.Slice(offset, element.Size)))
            {
                continue;
            }

            foreach (BtfField field in inner)
            {
                string name = $"{array.Name}[{i}]" + (field.Name.Length > 0 ? $".{field.Name}" : "");
                Compare(field with { Name = name, Offset = offset + field.Offset }, old, now, changes);
            }
        }
    }

    private static ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> value, BtfField field) => value.Slice(field.Offset, field.Layout.Size);

    private string Text(BtfField field, ReadOnlySpan<byte> value)
    {
        if (!_formats.TryGetValue(field, out BtfTextFormat? format))
        {
            _formats.Add(field, format = new(field));
        }

        _text.ResetWrittenCount();
        format.Write(_text, value);
        return Encoding.UTF8.GetString(_text.WrittenSpan);
    }
}
