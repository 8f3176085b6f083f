using System.Buffers;
using System.Text;

namespace BpfRemote.Btf;

/// <summary>
/// Collects the steps of a plan. Text is kept back until a step follows that it can go with. What hostile BTF can blow up is bounded:
/// steps, text, and what writing one value gives.
/// </summary>
/// <param name="whole">What is written.</param>
internal sealed class PlanBuilder(BtfField whole)
{
    private const int MaxSteps = 1 << 16;
    private const int MaxTextLength = 4 << 20;
    private const long MaxOutputLength = 256 << 20;
    private const int UsualPartLength = 8;

    private readonly List<RenderStep> _steps = [];
    private readonly List<EnumNames> _enums = [];
    private readonly Dictionary<IReadOnlyList<BtfEnumerator>, int> _enumsKnown = new(ReferenceEqualityComparer.Instance);
    private readonly ArrayBufferWriter<byte> _text = new();
    private readonly Stack<(int Step, long OuterTimes)> _loops = [];
    private int _pendingFrom;
    private int _loopDepth;
    private long _times = 1;
    private long _outputLength;

    /// <summary>Text that is the same in every value.</summary>
    public void Text(string text)
    {
        Encoding.UTF8.GetBytes(text, _text);
        if (_text.WrittenCount > MaxTextLength)
        {
            throw TooLarge($"{MaxTextLength} bytes of names");
        }
    }

    /// <summary>A part of the value; the text before it is taken along.</summary>
    public void Part(RenderStep step)
    {
        int textLength = _text.WrittenCount - _pendingFrom;
        _steps.Add(step with { TextStart = _pendingFrom, TextLength = textLength });
        _pendingFrom = _text.WrittenCount;
        _outputLength += _times * (textLength + UsualPartLength + (step.Kind is StepKind.JsonText or StepKind.CText ? step.Size : 0L));
        if (_steps.Count > MaxSteps)
        {
            throw TooLarge($"{MaxSteps} parts");
        }

        if (_outputLength > MaxOutputLength)
        {
            throw TooLarge($"{MaxOutputLength} bytes when it is written");
        }
    }

    /// <summary>The names of an enumeration, for <see cref="RenderStep.Target"/>; kept once, however often it is used.</summary>
    public int Enum(BtfValueLayout enumeration, Func<string, byte[]> write)
    {
        if (!_enumsKnown.TryGetValue(enumeration.Enumerators, out int index))
        {
            index = _enums.Count;
            _enums.Add(new(enumeration, write));
            _enumsKnown.Add(enumeration.Enumerators, index);
        }

        return index;
    }

    /// <summary>Begins what is written once for each element.</summary>
    public void BeginRepeat(int offset, int count)
    {
        Part(new() { Kind = StepKind.Repeat, Offset = offset, Count = count });
        _loops.Push((_steps.Count, _times));
        _loopDepth = Math.Max(_loopDepth, _loops.Count);
        _times *= count;
    }

    /// <summary>Ends it.</summary>
    /// <param name="stride">Bytes of one element.</param>
    /// <param name="separator">Text between two elements.</param>
    public void EndRepeat(int stride, string separator)
    {
        FlushText();
        (int first, long outerTimes) = _loops.Pop();
        Text(separator);
        Part(new() { Kind = StepKind.EndRepeat, Size = stride, Target = first });
        _times = outerTimes;
    }

    /// <summary>Begins steps that a step before may jump over.</summary>
    /// <returns>To be given to <see cref="EndAlternative"/>.</returns>
    public int BeginAlternative(RenderStep step)
    {
        Part(step);
        return _steps.Count - 1;
    }

    /// <summary>Ends them.</summary>
    public void EndAlternative(int step)
    {
        FlushText();
        _steps[step] = _steps[step] with { Target = _steps.Count };
    }

    public RenderPlan Build()
    {
        FlushText();
        return new(whole.End, whole.Layout.Order, [.. _steps], _text.WrittenSpan.ToArray(), [.. _enums], _loopDepth);
    }

    private void FlushText()
    {
        if (_text.WrittenCount > _pendingFrom)
        {
            Part(new() { Kind = StepKind.Literal });
        }
    }

    private BtfFormatException TooLarge(string limit) => new($"A value of {whole.Layout.TypeName} has more than {limit}.");
}
