using System.Buffers;
using System.Text;

namespace BpfRemote.Btf;

/// <summary>
/// Collects the steps of a plan. Text is kept back until a step follows that it can go with. What hostile BTF can blow up is bounded:
/// steps, text, and the steps that writing one value takes.
/// </summary>
internal sealed class PlanBuilder(BtfValueLayout layout)
{
    private const int MaxSteps = 1 << 16;
    private const int MaxTextLength = 16 << 20;
    private const long MaxWork = 1 << 26;

    private readonly List<RenderStep> _steps = [];
    private readonly List<EnumNames> _enums = [];
    private readonly ArrayBufferWriter<byte> _text = new();
    private readonly Stack<(int Step, long OuterTimes)> _loops = [];
    private int _pendingFrom;
    private int _loopDepth;
    private long _times = 1;
    private long _work;

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
        _steps.Add(step with { TextStart = _pendingFrom, TextLength = _text.WrittenCount - _pendingFrom });
        _pendingFrom = _text.WrittenCount;
        _work += _times;
        if (_steps.Count > MaxSteps)
        {
            throw TooLarge($"{MaxSteps} parts");
        }

        if (_work > MaxWork)
        {
            throw TooLarge($"{MaxWork} elements");
        }
    }

    /// <summary>The names of an enumeration, for <see cref="RenderStep.Target"/>.</summary>
    public int Enum(EnumNames names)
    {
        _enums.Add(names);
        return _enums.Count - 1;
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
        return new(layout, [.. _steps], _text.WrittenSpan.ToArray(), [.. _enums], _loopDepth);
    }

    private void FlushText()
    {
        if (_text.WrittenCount > _pendingFrom)
        {
            Part(new() { Kind = StepKind.Literal });
        }
    }

    private BtfFormatException TooLarge(string limit) => new($"A value of {layout.TypeName} has more than {limit}.");
}
