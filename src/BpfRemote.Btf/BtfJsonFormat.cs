using System.Buffers;

namespace BpfRemote.Btf;

/// <summary>
/// Writes values as the JSON that <c>bpftool map dump</c> has under <c>formatted</c>, into UTF-8 and without work per value but
/// copying and formatting numbers. Planned once for all values of a map; immutable, threads may share it.
/// </summary>
/// <remarks>
/// As bpftool: integers and pointers are decimal numbers, bitfields and 128-bit integers strings such as <c>"0x1f"</c>, enumerations
/// their names or numbers, <c>char</c> arrays strings where all characters before a zero byte are printable and arrays of numbers
/// otherwise; anonymous members have the name <c>""</c>. Floats are numbers, or <c>"NaN"</c>, <c>"Infinity"</c> and
/// <c>"-Infinity"</c>; bpftool prints none.
/// </remarks>
public sealed class BtfJsonFormat
{
    private readonly RenderPlan _plan;

    /// <param name="layout">Of the values.</param>
    /// <param name="indented">Whether names stand on lines of their own, indented by 4, as in <c>bpftool -p</c>.</param>
    /// <param name="depth">How deep the values are inside of other objects and arrays; matters to what is indented.</param>
    /// <exception cref="BtfFormatException">A value has more than 65,536 parts, or would be some 256 MiB when written.</exception>
    public BtfJsonFormat(BtfValueLayout layout, bool indented = false, int depth = 0)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNegative(depth);
        _plan = JsonPlan.For(layout, indented, depth);
    }

    /// <summary>Writes a value.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="value">The bytes; what is behind the layout's size is passed over.</param>
    /// <exception cref="ArgumentException">There are too few bytes.</exception>
    public void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        ArgumentNullException.ThrowIfNull(output);
        Utf8Output text = new(output);
        Write(ref text, value);
        text.Flush();
    }

    internal void Write(ref Utf8Output output, ReadOnlySpan<byte> value) => _plan.Write(ref output, value);
}
