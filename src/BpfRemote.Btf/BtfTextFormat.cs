using System.Buffers;

namespace BpfRemote.Btf;

/// <summary>
/// Writes values for people, on one line of UTF-8: <c>{.saddr = 10.0.0.1, .dport = 443, .state = CONN_NEW}</c>. Planned once for all
/// values of a map; immutable, threads may share it.
/// </summary>
/// <remarks>
/// Pointers are hexadecimal, <c>char</c> arrays strings with all but printable ASCII escaped, bitfields what their type is. Unless
/// values are asked for raw: IPv4 and IPv6 addresses and MACs are written as such where the type (<c>in_addr</c>, <c>in6_addr</c>)
/// or the field (<c>saddr</c>, <c>src_ip</c>, <c>h_dest</c>) is named so, and other integers in network order (<c>__be16</c>) as the
/// numbers that they are.
/// </remarks>
public sealed class BtfTextFormat
{
    private readonly RenderPlan _plan;

    /// <param name="layout">Of the values.</param>
    /// <param name="fieldName">The name of the field that the values are of, which may say what they are; empty where they are none.</param>
    /// <param name="rawValues">Whether addresses and network order stay the plain numbers that the kinds of the types say.</param>
    /// <exception cref="BtfFormatException">A value has more than 65,536 parts, or would be some 256 MiB when written.</exception>
    public BtfTextFormat(BtfValueLayout layout, string fieldName = "", bool rawValues = false)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(fieldName);
        _plan = TextPlan.For(BtfField.Whole(layout, fieldName), rawValues);
    }

    /// <summary>For one field of values, given the whole values: such as a column of a table.</summary>
    /// <param name="field">Of the values' layout, such as one of <see cref="BtfValueLayout.TryGetLeaves"/>.</param>
    /// <param name="rawValues">As above.</param>
    /// <exception cref="BtfFormatException">As above.</exception>
    public BtfTextFormat(BtfField field, bool rawValues = false)
    {
        ArgumentNullException.ThrowIfNull(field);
        _plan = TextPlan.For(field, rawValues);
    }

    /// <summary>
    /// Whether what is written is a decimal number, which tables align on the right; addresses, names and the like are none.
    /// </summary>
    public bool IsNumber => _plan.IsNumber;

    /// <summary>Writes a value.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="value">The bytes of the whole value; what is behind it is passed over.</param>
    /// <exception cref="ArgumentException">There are too few bytes.</exception>
    public void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        ArgumentNullException.ThrowIfNull(output);
        Utf8Output text = new(output);
        _plan.Write(ref text, value);
        text.Flush();
    }
}
