namespace BpfRemote.Btf;

/// <summary>
/// Makes one value of those of all CPUs, such as the sum of counters. Planned once for a map; immutable, threads may share it.
/// </summary>
/// <remarks>
/// Integers and floats, also in nested structs, arrays and bitfields, are added up or compared; a sum that is outside of the range of
/// its type stays at the end of it. All else, which has no sum (enumerations, booleans, pointers, characters and texts, unions,
/// addresses and numbers in network order), is that of the first CPU where it is not all zeros.
/// </remarks>
public sealed class BtfAggregate
{
    private const int MaxParts = 1 << 16;

    private readonly BtfValueLayout _layout;
    private readonly List<AggregatePart> _parts = [];
    private readonly bool _isSum;
    private int _steps;

    private BtfAggregate(BtfValueLayout layout, bool isSum)
    {
        ArgumentNullException.ThrowIfNull(layout);
        _layout = layout;
        _isSum = isSum;
        Plan(BtfField.Whole(layout), count: 1, stride: layout.Size);
    }

    /// <summary>Adds numbers up.</summary>
    /// <exception cref="BtfFormatException">A value has more than 65,536 parts.</exception>
    public static BtfAggregate Sum(BtfValueLayout layout) => new(layout, isSum: true);

    /// <summary>Takes the largest of each number, whichever CPUs they are from.</summary>
    /// <exception cref="BtfFormatException">A value has more than 65,536 parts.</exception>
    public static BtfAggregate Max(BtfValueLayout layout) => new(layout, isSum: false);

    /// <summary>Makes one value. Nothing is allocated.</summary>
    /// <param name="blocks">A value for each CPU, each rounded up to a multiple of 8 bytes.</param>
    /// <param name="value">
    /// Takes the bytes of the one value; padding in it is 0, and what is behind the layout's size is left alone.
    /// </param>
    /// <exception cref="ArgumentException">
    /// <paramref name="blocks"/> is not one or more whole values, or <paramref name="value"/> has too few bytes.
    /// </exception>
    public void Combine(ReadOnlySpan<byte> blocks, Span<byte> value)
    {
        int stride = _layout.PerCpuStride;
        if (blocks.IsEmpty || stride == 0 || blocks.Length % stride != 0)
        {
            throw new ArgumentException($"{blocks.Length} bytes are not the values of CPUs, which take {stride} each.", nameof(blocks));
        }

        _layout.RequireSize(value);
        value[.._layout.Size].Clear();
        foreach (AggregatePart part in _parts)
        {
            for (int i = 0, offset = part.Offset; i < part.Count; i++, offset += part.Stride)
            {
                part.Combine(blocks[offset..], stride, value[offset..], _isSum, _layout.Order);
            }
        }
    }

    private void Plan(BtfField field, int count, int stride)
    {
        // Counted here, not only what is added: types that hold each other twice at every level double with each.
        if (++_steps > MaxParts)
        {
            throw new BtfFormatException($"A value of {_layout.TypeName} has more than {MaxParts} parts.");
        }

        BtfValueLayout layout = field.Layout;
        bool isMeant = field.BitSize == 0 && NameMeaning.Of(layout, field.Name) != ValueMeaning.None;
        switch (layout.Kind)
        {
            case BtfValueKind.Struct or BtfValueKind.Section when !isMeant:
                foreach (BtfField inner in layout.Fields.Where(inner => !inner.IsPadding))
                {
                    Plan(inner with { Offset = field.Offset + inner.Offset }, count, stride);
                }

                break;
            case BtfValueKind.Array when !isMeant && !layout.Element!.IsCharacter:
                PlanElements(field, count, stride);
                break;
            case not BtfValueKind.Section when field.End > field.Offset:
                _parts.Add(new(field, isMeant, count, stride));
                break;
            default:
                break;
        }
    }

    // Elements one after the other are one part, and so are the elements of all their arrays.
    private void PlanElements(BtfField array, int count, int stride)
    {
        BtfValueLayout layout = array.Layout;
        if (layout.Size == 0)
        {
            return;
        }

        bool isContiguous = count == 1 || stride == layout.Size;
        for (int i = 0; i < (isContiguous ? 1 : count); i++)
        {
            BtfField first = array.Element(0);
            Plan(
                first with { Offset = first.Offset + (i * stride) },
                isContiguous ? count * layout.Count : layout.Count,
                layout.Element!.Size);
        }
    }
}
