using System.Buffers;
using System.Globalization;
using System.Text;
using BpfRemote.Btf;

namespace BpfRemote.Cli.Diffs;

/// <summary>Finds which parts of a value changed, down to single numbers, texts and addresses.</summary>
internal sealed class FieldChanges(BtfValueLayout layout)
{
    private readonly Dictionary<(BtfValueLayout Layout, string Name), BtfTextFormat> _formats = [];
    private readonly ArrayBufferWriter<byte> _text = new();

    /// <summary>The parts that changed; none where only padding did.</summary>
    /// <param name="old">What the value was.</param>
    /// <param name="now">What it is.</param>
    public List<FieldChange> Find(ReadOnlySpan<byte> old, ReadOnlySpan<byte> now)
    {
        List<FieldChange> changes = [];
        Compare(layout.Read(old), layout.Read(now), path: "", name: "", changes);
        return changes;
    }

    private void Compare(BtfValue old, BtfValue now, string path, string name, List<FieldChange> changes)
    {
        if (old.Bytes.SequenceEqual(now.Bytes))
        {
            return;
        }

        switch (old.Layout)
        {
            case { Fields.Count: > 0, TypeName: not ("struct in_addr" or "struct in6_addr") } whole:
                foreach (BtfField field in whole.Fields)
                {
                    CompareField(old, now, field, path, changes);
                }

                break;
            case { Kind: BtfValueKind.Array, Element: { } element } when !IsText(element):
                for (int i = 0; i < old.Count; i++)
                {
                    Compare(old[i], now[i], $"{path}[{i}]", name, changes);
                }

                break;
            default:
                changes.Add(new(path, Text(old, name), Text(now, name)));
                break;
        }
    }

    private void CompareField(BtfValue old, BtfValue now, BtfField field, string path, List<FieldChange> changes)
    {
        string inner = field.Name.Length == 0 ? path : path.Length == 0 ? field.Name : $"{path}.{field.Name}";
        BtfValue before = old.Field(field), after = now.Field(field);
        if (field.BitSize == 0)
        {
            // What has neither a name nor parts is padding.
            if (field.Name.Length > 0 || field.Layout.Fields.Count > 0)
            {
                Compare(before, after, inner, field.Name, changes);
            }
        }
        else if (field.Name.Length > 0 && before.ReadInt128() != after.ReadInt128())
        {
            changes.Add(new(inner, BitText(before), BitText(after)));
        }
    }

    // A text is one thing to people, and so is an address.
    private static bool IsText(BtfValueLayout element) => element is { Kind: BtfValueKind.Character or BtfValueKind.Integer, Size: 1 };

    private static string BitText(BtfValue value) => value.Layout.Kind switch
    {
        BtfValueKind.Enumeration when value.ReadEnumName() is { } name => name,
        BtfValueKind.Boolean => value.ReadBoolean() ? "true" : "false",
        _ => value.ReadInt128().ToString(CultureInfo.InvariantCulture),
    };

    private string Text(BtfValue value, string name)
    {
        if (!_formats.TryGetValue((value.Layout, name), out BtfTextFormat? format))
        {
            _formats.Add((value.Layout, name), format = new(value.Layout, name));
        }

        _text.ResetWrittenCount();
        format.Write(_text, value.Bytes);
        return Encoding.UTF8.GetString(_text.WrittenSpan);
    }
}
