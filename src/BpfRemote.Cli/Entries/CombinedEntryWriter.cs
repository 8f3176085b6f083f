using BpfRemote.Btf;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Makes one value of those of all CPUs before it is written; maps with one value pass through.</summary>
internal sealed class CombinedEntryWriter(OutputBuffer output, EntryWriter writer, PerCpuMode mode) : EntryWriter(output)
{
    private Layout _layout = new();
    private BtfAggregate? _aggregate;
    private byte[]? _value;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        _layout = layout;
        _value = null;
        if (layout.ValueKind != ValueKind.PerCpu || layout.ValueError.Length > 0)
        {
            writer.BeginMap(map, layout, schema);
            return;
        }

        if (schema is null && layout.ValueSize is not (1 or 2 or 4 or 8))
        {
            throw CommandException.Usage(
                $"--percpu: the values of map {map.Id} have {layout.ValueSize} bytes, and which numbers are in them is not known without types");
        }

        _aggregate = schema is null ? null : mode == PerCpuMode.Sum ? BtfAggregate.Sum(schema.Value) : BtfAggregate.Max(schema.Value);
        _value = new byte[layout.ValueSize];
        Layout single = layout.Clone();
        single.ValueKind = ValueKind.Raw;
        single.ValueStride = layout.ValueSize;
        writer.BeginMap(map, single, schema);
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (_value is null)
        {
            writer.WriteEntry(key, value);
            return;
        }

        if (_aggregate is not null)
        {
            _aggregate.Combine(value, _value);
        }
        else
        {
            NodeNumber.Write(_value, CombineNumbers(value), _layout.ByteOrder);
        }

        writer.WriteEntry(key, _value);
    }

    public override void Flush() => writer.Flush();

    public override void EndMap(bool complete) => writer.EndMap(complete);

    public override void Close() => writer.Close();

    public override bool Fail(string message) => writer.Fail(message);

    private ulong CombineNumbers(ReadOnlySpan<byte> values)
    {
        int size = (int)_layout.ValueSize;
        int stride = values.Length / _layout.PossibleCpuIds.Count;
        ulong largest = ulong.MaxValue >> (64 - (size * 8));
        ulong result = 0;
        for (int offset = 0; offset < values.Length; offset += stride)
        {
            ulong number = NodeNumber.Read(values.Slice(offset, size), _layout.ByteOrder);
            result = mode == PerCpuMode.Max ? Math.Max(result, number) : number > largest - result ? largest : result + number;
        }

        return result;
    }
}
