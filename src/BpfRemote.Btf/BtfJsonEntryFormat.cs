using System.Buffers;
using System.Text;

namespace BpfRemote.Btf;

/// <summary>
/// Writes entries as bpftool's <c>formatted</c> object: <c>{"key":…,"value":…}</c>, of per-CPU maps
/// <c>{"key":…,"values":[{"cpu":0,"value":…},…]}</c>. Planned once for a map; immutable, threads may share it.
/// </summary>
public sealed class BtfJsonEntryFormat
{
    private readonly BtfJsonFormat? _key;
    private readonly BtfJsonFormat _value;
    private readonly int _blockSize;
    private readonly byte[] _open;
    private readonly byte[][] _beforeValues;
    private readonly byte[] _close;

    private BtfJsonEntryFormat(
        BtfValueLayout? key, BtfJsonFormat value, int blockSize, string[] beforeValues, string close, bool indented, int depth)
    {
        string line = JsonPlan.NewLine(indented, depth + 1), colon = indented ? ": " : ":";
        _key = key is null ? null : new(key, indented, depth + 1);
        _value = value;
        _blockSize = blockSize;
        _open = Encoding.UTF8.GetBytes(key is null ? "{" : $"{{{line}\"key\"{colon}");
        string separator = key is null ? line : $",{line}";
        _beforeValues = [.. beforeValues.Select((text, i) => Encoding.UTF8.GetBytes(i == 0 ? $"{separator}{text}" : text))];
        _close = Encoding.UTF8.GetBytes($"{close}{JsonPlan.NewLine(indented, depth)}}}");
    }

    /// <summary>For maps with one value a key.</summary>
    /// <param name="key">Of the keys; null for a map without a key type, such as a program's <c>.rodata</c>: then there is no <c>key</c>.</param>
    /// <param name="value">Of the values.</param>
    /// <param name="indented">As in <see cref="BtfJsonFormat"/>.</param>
    /// <param name="depth">How deep the entries are inside of other objects and arrays.</param>
    /// <exception cref="BtfFormatException">As <see cref="BtfJsonFormat"/>.</exception>
    public static BtfJsonEntryFormat Single(BtfValueLayout? key, BtfValueLayout value, bool indented = false, int depth = 0)
    {
        ArgumentNullException.ThrowIfNull(value);
        string text = indented ? "\"value\": " : "\"value\":";
        return new(key, new(value, indented, depth + 1), blockSize: 0, [text], close: "", indented, depth);
    }

    /// <summary>For per-CPU maps.</summary>
    /// <param name="key">As in <see cref="Single"/>.</param>
    /// <param name="value">Of one CPU's value.</param>
    /// <param name="cpuIds">The possible CPUs in the order of their values.</param>
    /// <param name="indented">As in <see cref="BtfJsonFormat"/>.</param>
    /// <param name="depth">How deep the entries are inside of other objects and arrays.</param>
    /// <exception cref="ArgumentException">There are no CPUs.</exception>
    /// <exception cref="BtfFormatException">As <see cref="BtfJsonFormat"/>.</exception>
    public static BtfJsonEntryFormat PerCpu(
        BtfValueLayout? key, BtfValueLayout value, IReadOnlyList<uint> cpuIds, bool indented = false, int depth = 0)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(cpuIds);
        if (cpuIds.Count == 0)
        {
            throw new ArgumentException("A per-CPU map has values of at least one CPU.", nameof(cpuIds));
        }

        string colon = indented ? ": " : ":";
        string line = JsonPlan.NewLine(indented, depth + 3), end = $"{JsonPlan.NewLine(indented, depth + 2)}}}";
        string[] beforeValues =
        [
            .. cpuIds.Select((cpu, i) =>
                $"{(i == 0 ? $"\"values\"{colon}[" : $"{end},")}{{{line}\"cpu\"{colon}{cpu},{line}\"value\"{colon}")
        ];
        string close = $"{end}{JsonPlan.NewLine(indented, depth + 1)}]";
        return new(key, new(value, indented, depth + 3), value.PerCpuStride, beforeValues, close, indented, depth);
    }

    /// <summary>Writes an entry.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="key">The key; passed over where there is no key type.</param>
    /// <param name="value">The value; of per-CPU maps a block for each CPU, each rounded up to a multiple of 8 bytes.</param>
    /// <exception cref="ArgumentException">There are fewer bytes than the types take.</exception>
    public void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        ArgumentNullException.ThrowIfNull(output);
        Utf8Output text = new(output);
        text.Write(_open);
        _key?.Write(ref text, key);
        for (int i = 0; i < _beforeValues.Length; i++)
        {
            text.Write(_beforeValues[i]);
            _value.Write(ref text, value[Math.Min(i * _blockSize, value.Length)..]);
        }

        text.Write(_close);
        text.Flush();
    }
}
