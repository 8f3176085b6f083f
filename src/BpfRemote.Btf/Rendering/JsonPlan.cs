using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace BpfRemote.Btf;

/// <summary>
/// Plans JSON that equals what bpftool 7.1 prints (its <c>btf_dumper.c</c>). It differs, because bpftool's is no JSON or not the value:
/// floats and <c>TYPE_TAG</c> (bpftool stops in mid-text), booleans (bpftool reads 4 bytes), values of an enumeration of 1 or 2 bytes
/// that have the highest bit set (bpftool does not find their names), unsigned enumerations without a name for the value (bpftool
/// prints them as signed), escapes in text.
/// </summary>
internal readonly struct JsonPlan
{
    private const int IndentSize = 4;

    private readonly PlanBuilder _plan;
    private readonly bool _indented;

    private JsonPlan(PlanBuilder plan, bool indented)
    {
        _plan = plan;
        _indented = indented;
    }

    /// <summary>Makes a plan.</summary>
    /// <param name="layout">What is written.</param>
    /// <param name="indented">Whether names stand on lines of their own, as in <c>bpftool -p</c>.</param>
    /// <param name="depth">How deep the value is inside of other objects and arrays.</param>
    public static RenderPlan For(BtfValueLayout layout, bool indented, int depth)
    {
        PlanBuilder plan = new(BtfField.Whole(layout));
        new JsonPlan(plan, indented).Value(layout, offset: 0, depth);
        return plan.Build();
    }

    public static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    public static string NewLine(bool indented, int depth) => indented ? "\n" + new string(' ', depth * IndentSize) : "";

    private void Value(BtfValueLayout layout, int offset, int depth)
    {
        switch (layout.Kind)
        {
            case BtfValueKind.Struct or BtfValueKind.Union:
                Fields(layout, offset, depth);
                break;
            case BtfValueKind.Section:
                Section(layout, offset, depth);
                break;
            case BtfValueKind.Array:
                Array(layout, offset, depth);
                break;
            case BtfValueKind.Enumeration:
                int names = _plan.Enum(layout, static name => Encoding.UTF8.GetBytes(Quote(name)));
                _plan.Part(new() { Kind = StepKind.Enumeration, Offset = offset, Size = layout.Size, Target = names });
                break;
            default:
                Scalar(layout, offset);
                break;
        }
    }

    private void Scalar(BtfValueLayout layout, int offset)
    {
        if (layout.BitSize != 0)
        {
            Bits(offset + (layout.BitOffset / 8), layout.BitOffset % 8, layout.BitSize);
            return;
        }

        StepKind kind = layout.Kind switch
        {
            BtfValueKind.Boolean => StepKind.Boolean,
            BtfValueKind.Character => StepKind.JsonCharacter,
            BtfValueKind.Float when layout.Size > 8 => StepKind.HexBytes,
            BtfValueKind.Float => StepKind.Float,
            BtfValueKind.Integer when layout.Size == 16 => StepKind.Hex,
            BtfValueKind.Integer when layout.IsSigned => StepKind.Signed,
            _ => StepKind.Unsigned,
        };
        string quote = kind is StepKind.Hex or StepKind.HexBytes ? "\"" : "";
        _plan.Text(quote);
        _plan.Part(new() { Kind = kind, Offset = offset, Size = layout.Size });
        _plan.Text(quote);
    }

    // Whatever the type: bpftool does not look at it.
    private void Bits(int offset, int bitOffset, int bitSize)
    {
        _plan.Text("\"");
        _plan.Part(new() { Kind = StepKind.Hex, Offset = offset, BitOffset = (byte)bitOffset, BitSize = (byte)bitSize });
        _plan.Text("\"");
    }

    private void Fields(BtfValueLayout layout, int offset, int depth)
    {
        _plan.Text("{");
        string separator = "";
        foreach (BtfField field in layout.Fields)
        {
            _plan.Text(separator);
            separator = ",";
            Name(field.Name, depth + 1);
            Field(field, offset, depth + 1);
        }

        _plan.Text(layout.Fields.Count > 0 ? $"{NewLine(_indented, depth)}}}" : "}");
    }

    private void Field(BtfField field, int offset, int depth)
    {
        if (field.BitSize != 0)
        {
            Bits(offset + field.Offset, field.BitOffset, field.BitSize);
        }
        else
        {
            Value(field.Layout, offset + field.Offset, depth);
        }
    }

    // {".bss":[{"first":1},{"second":2}]}
    private void Section(BtfValueLayout layout, int offset, int depth)
    {
        _plan.Text("{");
        Name(layout.TypeName, depth + 1);
        _plan.Text("[");
        string separator = "";
        foreach (BtfField variable in layout.Fields)
        {
            _plan.Text($"{separator}{{");
            separator = ",";
            Name(variable.Name, depth + 3);
            Field(variable, offset, depth + 3);
            _plan.Text($"{NewLine(_indented, depth + 2)}}}");
        }

        _plan.Text(layout.Fields.Count > 0 ? $"{NewLine(_indented, depth + 1)}]" : "]");
        _plan.Text($"{NewLine(_indented, depth)}}}");
    }

    private void Array(BtfValueLayout layout, int offset, int depth)
    {
        BtfValueLayout element = layout.Element!;
        if (layout.Count == 0)
        {
            _plan.Text("[]");
            return;
        }

        // A typedef of char makes no text, in bpftool.
        if (element is { IsCharacter: true, IsRenamed: false })
        {
            int text = _plan.BeginAlternative(new() { Kind = StepKind.JsonText, Offset = offset, Size = layout.Size });
            Elements(layout, element, offset, depth);
            _plan.EndAlternative(text);
        }
        else
        {
            Elements(layout, element, offset, depth);
        }
    }

    private void Elements(BtfValueLayout layout, BtfValueLayout element, int offset, int depth)
    {
        _plan.Text("[");
        _plan.BeginRepeat(offset, layout.Count);
        Value(element, offset: 0, depth + 1);
        _plan.EndRepeat(element.Size, ",");
        _plan.Text($"{NewLine(_indented, depth)}]");
    }

    private void Name(string name, int depth) => _plan.Text($"{NewLine(_indented, depth)}{Quote(name)}:{(_indented ? " " : "")}");
}
