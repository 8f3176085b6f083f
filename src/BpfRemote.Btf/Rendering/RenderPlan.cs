namespace BpfRemote.Btf;

/// <summary>
/// How to write the values of one layout: a list of steps, so that writing one is no walk over types. All that is the same for every
/// value is text already. Immutable.
/// </summary>
internal sealed class RenderPlan(int size, BtfByteOrder order, RenderStep[] steps, byte[] text, EnumNames[] enums, int loopDepth)
{
    /// <summary>Whether nothing but a number in decimal is written.</summary>
    public bool IsNumber =>
        steps is [{ TextLength: 0, Kind: StepKind.Unsigned or StepKind.Signed or StepKind.NetworkOrder or StepKind.Float }];

    /// <summary>Writes a value.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="value">At least the bytes up to the end of what is written.</param>
    /// <exception cref="ArgumentException">They are fewer.</exception>
    public void Write(ref Utf8Output output, ReadOnlySpan<byte> value)
    {
        if (value.Length < size)
        {
            throw new ArgumentException($"{value.Length} bytes are too few: what is written of them ends at byte {size}.", nameof(value));
        }

        Span<Loop> loops = stackalloc Loop[loopDepth];
        int depth = 0;
        int start = 0;
        for (int i = 0; i < steps.Length; i++)
        {
            ref readonly RenderStep step = ref steps[i];
            if (step.Kind == StepKind.EndRepeat && --loops[depth - 1].Remaining == 0)
            {
                start = loops[--depth].OuterStart;
                continue;
            }

            if (step.TextLength > 0)
            {
                output.Write(text.AsSpan(step.TextStart, step.TextLength));
            }

            switch (step.Kind)
            {
                case StepKind.Literal:
                    break;
                case StepKind.Repeat:
                    loops[depth++] = new(step.Count, start);
                    start += step.Offset;
                    break;
                case StepKind.EndRepeat:
                    start += step.Size;
                    i = step.Target - 1;
                    break;
                case StepKind.JsonText:
                    if (CharacterText.TryWriteJson(ref output, value.Slice(start + step.Offset, step.Size)))
                    {
                        i = step.Target - 1;
                    }

                    break;
                case StepKind.CText:
                    CharacterText.WriteC(ref output, value.Slice(start + step.Offset, step.Size));
                    break;
                case StepKind.Enumeration:
                    WriteEnumeration(ref output, step, value[(start + step.Offset)..]);
                    break;
                default:
                    output.Advance(ScalarText.Format(
                        output.Reserve(ScalarText.MaxLength), step, value[(start + step.Offset)..], order));
                    break;
            }
        }
    }

    private void WriteEnumeration(ref Utf8Output output, in RenderStep step, ReadOnlySpan<byte> bytes)
    {
        EnumNames names = enums[step.Target];
        if (names.TryGet(ScalarText.Bits(step, bytes, order), step.Width, out ReadOnlySpan<byte> name))
        {
            output.Write(name);
            return;
        }

        // bpftool prints the number as if every enumeration were signed. Here it is what BTF says.
        StepKind number = names.IsSigned ? StepKind.Signed : StepKind.Unsigned;
        output.Advance(ScalarText.Format(output.Reserve(ScalarText.MaxLength), step with { Kind = number }, bytes, order));
    }

    /// <summary>A repetition under way.</summary>
    private record struct Loop(int Remaining, int OuterStart);
}
