using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Writes entries as rows: bytes, and beside them what they are as a number, or as text where they are no number.</summary>
internal sealed class RowEntryWriter(OutputBuffer output, bool colour) : EntryWriter(output)
{
    private Layout _layout = new();
    private Cell? _key;
    private Cell? _value;
    private string _valueError = "";
    private int _keyWidth;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        _layout = layout;
        bool perCpu = layout.ValueKind == ValueKind.PerCpu;
        _key = layout.KeySize > 0 ? new("KEY (HEX)", layout.KeySize, ValueKind.Raw, layout.ByteOrder) : null;
        _valueError = layout.ValueError.Length > 0 ? $"<the kernel gives no value: {layout.ValueError}>" : "";
        _value = _valueError.Length > 0 ? null
            : new("VALUE (HEX)", perCpu ? layout.ValueSize : layout.ValueStride, layout.ValueKind, layout.ByteOrder);
        _keyWidth = _key?.Width ?? 0;

        string title = $"{_key?.Title}{(perCpu ? "CPU  " : "")}{_value?.Title ?? "VALUE"}".TrimEnd();
        Output.Write($"{TextStyle.Bold(title, colour)}\n");
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        _key?.Write(Output, key, padded: true);
        if (_value is null)
        {
            Output.Write($"{_valueError}\n");
        }
        else if (_layout.ValueKind != ValueKind.PerCpu)
        {
            _value.Write(Output, value, padded: false);
            Output.Write("\n"u8);
        }
        else
        {
            WriteCpus(value);
        }
    }

    private void WriteCpus(ReadOnlySpan<byte> value)
    {
        int stride = value.Length / _layout.PossibleCpuIds.Count;
        for (int i = 0; i < _layout.PossibleCpuIds.Count; i++)
        {
            // The key stands once, at the first of its rows.
            Output.Write(i == 0 ? "" : new string(' ', _keyWidth));
            Output.Write($"{_layout.PossibleCpuIds[i],3}  ");
            _value!.Write(Output, value.Slice(i * stride, (int)_layout.ValueSize), padded: false);
            Output.Write("\n"u8);
        }
    }
}
