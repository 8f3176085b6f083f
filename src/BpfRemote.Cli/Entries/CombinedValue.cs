using BpfRemote.Btf;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Makes one value of those of all CPUs.</summary>
internal sealed class CombinedValue
{
    private readonly Layout _layout;
    private readonly PerCpuMode _mode;
    private readonly BtfAggregate? _aggregate;
    private readonly byte[] _value;

    private CombinedValue(Layout layout, MapSchema? schema, PerCpuMode mode)
    {
        _layout = layout;
        _mode = mode;
        _aggregate = schema is null ? null : mode == PerCpuMode.Sum ? BtfAggregate.Sum(schema.Value) : BtfAggregate.Max(schema.Value);
        _value = new byte[layout.ValueSize];
        Layout = layout.Clone();
        Layout.ValueKind = ValueKind.Raw;
        Layout.ValueStride = layout.ValueSize;
    }

    /// <summary>The shape of entries with the one value.</summary>
    public Layout Layout { get; }

    /// <summary>For the entries of a map.</summary>
    /// <param name="layout">Their shape.</param>
    /// <param name="schema">What they are; null where that is not known.</param>
    /// <param name="mode">Their sum or the largest.</param>
    /// <returns>null where they have one value anyway.</returns>
    /// <exception cref="CommandException">Which numbers are in the values is not known.</exception>
    public static CombinedValue? Of(Layout layout, MapSchema? schema, PerCpuMode mode)
    {
        if (layout.ValueKind != ValueKind.PerCpu || layout.ValueError.Length > 0)
        {
            return null;
        }

        return schema is not null || NodeNumber.Fits(layout.ValueSize)
            ? new(layout, schema, mode)
            : throw CommandException.Usage(
                $"the values of map {layout.MapId} have {layout.ValueSize} bytes, and which numbers are in them is not known "
                + "without types: give them with --btf");
    }

    /// <summary>Makes one value.</summary>
    /// <param name="values">A value for each CPU.</param>
    /// <returns>The value, until the next is made.</returns>
    public ReadOnlySpan<byte> Combine(ReadOnlySpan<byte> values)
    {
        if (_aggregate is not null)
        {
            _aggregate.Combine(values, _value);
        }
        else
        {
            NodeNumber.Write(_value, CombineNumbers(values), _layout.ByteOrder);
        }

        return _value;
    }

    private ulong CombineNumbers(ReadOnlySpan<byte> values)
    {
        int size = (int)_layout.ValueSize;
        int stride = values.Length / _layout.PossibleCpuIds.Count;
        ulong largest = ulong.MaxValue >> (64 - (size * 8));
        ulong result = 0;
        for (int offset = 0; offset < values.Length; offset += stride)
        {
            ulong number = NodeNumber.Read(values.Slice(offset, size), _layout.ByteOrder);
            result = _mode == PerCpuMode.Max ? Math.Max(result, number) : number > largest - result ? largest : result + number;
        }

        return result;
    }
}
