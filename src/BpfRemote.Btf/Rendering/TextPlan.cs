using System.Text;

namespace BpfRemote.Btf;

/// <summary>Plans one line for people, as C writes initial values: <c>{.saddr = 10.0.0.1, .dport = 443}</c>.</summary>
internal readonly struct TextPlan
{
    private readonly PlanBuilder _plan;
    private readonly bool _rawValues;

    private TextPlan(PlanBuilder plan, bool rawValues)
    {
        _plan = plan;
        _rawValues = rawValues;
    }

    /// <summary>Makes a plan.</summary>
    /// <param name="whole">What is written.</param>
    /// <param name="rawValues">Whether addresses and network order stay the numbers that their kinds say.</param>
    public static RenderPlan For(BtfField whole, bool rawValues)
    {
        PlanBuilder plan = new(whole);
        new TextPlan(plan, rawValues).Part(whole, offset: 0);
        return plan.Build();
    }

    private void Part(BtfField field, int offset)
    {
        if (field.BitSize != 0)
        {
            Scalar(field.Layout, offset + field.Offset, field.BitOffset, field.BitSize);
        }
        else
        {
            Value(field.Layout, field.Name, offset + field.Offset);
        }
    }

    private void Value(BtfValueLayout layout, string name, int offset)
    {
        if (!_rawValues && MeaningStep(layout, name) is StepKind meant)
        {
            _plan.Part(new() { Kind = meant, Offset = offset, Size = layout.Size });
            return;
        }

        switch (layout.Kind)
        {
            case BtfValueKind.Struct or BtfValueKind.Union:
                Fields(layout, offset, prefix: ".");
                break;
            case BtfValueKind.Section:
                Fields(layout, offset, prefix: "");
                break;
            case BtfValueKind.Array when layout.Element!.IsCharacter:
                _plan.Part(new() { Kind = StepKind.CText, Offset = offset, Size = layout.Size });
                break;
            case BtfValueKind.Array when layout.Count == 0:
                _plan.Text("{}");
                break;
            case BtfValueKind.Array:
                _plan.Text("{");
                _plan.BeginRepeat(offset, layout.Count);
                Value(layout.Element!, name, offset: 0);
                _plan.EndRepeat(layout.Element!.Size, ", ");
                _plan.Text("}");
                break;
            default:
                Scalar(layout, offset + (layout.BitOffset / 8), layout.BitOffset % 8, layout.BitSize);
                break;
        }
    }

    private void Scalar(BtfValueLayout layout, int offset, int bitOffset, int bitSize)
    {
        int width = bitSize != 0 ? bitSize : layout.Size * 8;
        StepKind kind = layout.Kind switch
        {
            BtfValueKind.Boolean => StepKind.Boolean,
            BtfValueKind.Character when bitSize == 0 => StepKind.CCharacter,
            BtfValueKind.Enumeration => StepKind.Enumeration,
            BtfValueKind.Pointer => StepKind.Hex,
            BtfValueKind.Float when layout.Size > 8 => StepKind.HexBytes,
            BtfValueKind.Float => StepKind.Float,
            _ when width > 64 => StepKind.Hex,
            _ => layout.IsSigned ? StepKind.Signed : StepKind.Unsigned,
        };
        _plan.Part(new()
        {
            Kind = kind,
            Offset = offset,
            Size = layout.Size,
            BitOffset = (byte)bitOffset,
            BitSize = (byte)bitSize,
            Target = kind == StepKind.Enumeration ? _plan.Enum(layout, Encoding.UTF8.GetBytes) : 0,
        });
    }

    private void Fields(BtfValueLayout layout, int offset, string prefix)
    {
        _plan.Text("{");
        string separator = "";
        foreach (BtfField field in layout.Fields)
        {
            if (field.IsPadding)
            {
                continue;
            }

            _plan.Text(field.Name.Length > 0 ? $"{separator}{prefix}{field.Name} = " : separator);
            separator = ", ";
            Part(field, offset);
        }

        _plan.Text("}");
    }

    private static StepKind? MeaningStep(BtfValueLayout layout, string name) => NameMeaning.Of(layout, name) switch
    {
        ValueMeaning.Ipv4 => StepKind.Ipv4,
        ValueMeaning.Ipv6 => StepKind.Ipv6,
        ValueMeaning.Mac => StepKind.Mac,
        ValueMeaning.NetworkOrder => StepKind.NetworkOrder,
        _ => null,
    };
}
