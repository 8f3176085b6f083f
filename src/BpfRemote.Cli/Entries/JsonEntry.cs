using System.Text;
using BpfRemote.Btf;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>
/// Writes entries of one layout as bpftool's JSON objects. What is the same in every entry is made once, as bytes; what remains is
/// copying it and writing hexadecimal.
/// </summary>
internal sealed class JsonEntry
{
    private readonly int _valueSize;
    private readonly int _blockSize;
    private readonly byte[] _open;
    private readonly byte[][] _beforeValues;
    private readonly byte[] _close;
    private readonly byte[] _end;
    private readonly byte[]? _valueError;
    private readonly byte[] _hole;
    private readonly BtfJsonEntryFormat? _formatted;

    /// <param name="layout">The shape of the entries.</param>
    /// <param name="schema">What they are; null where that is not known.</param>
    /// <param name="style">How the text is laid out.</param>
    /// <param name="depth">How deep the objects are nested.</param>
    public JsonEntry(Layout layout, MapSchema? schema, JsonStyle style, int depth)
    {
        string member = style.NewLine(depth + 1), colon = style.Colon, end = style.NewLine(depth);
        _open = Encoding.UTF8.GetBytes($"{{{member}\"key\"{colon}[");
        string value = $"],{member}\"value\"{colon}", typed = schema is null ? "" : $",{member}\"formatted\"{colon}";
        _hole = Error("ENOENT");
        _end = Encoding.UTF8.GetBytes($"{end}}}");
        if (layout.ValueError.Length > 0)
        {
            _valueError = Error(layout.ValueError);
            _beforeValues = [];
            _close = [];
        }
        else if (layout.ValueKind == ValueKind.PerCpu)
        {
            _valueSize = (int)layout.ValueSize;
            _blockSize = (int)layout.ValueStride / Math.Max(1, layout.PossibleCpuIds.Count);
            string block = style.NewLine(depth + 2);
            _beforeValues =
            [
                .. layout.PossibleCpuIds.Select((cpu, i) => Encoding.UTF8.GetBytes(
                    (i == 0 ? $"],{member}\"values\"{colon}[" : $"]}},")
                    + $"{block}{{\"cpu\"{colon}{cpu},{style.Space}\"value\"{colon}["))
            ];
            _close = Encoding.UTF8.GetBytes($"]}}{member}]{typed}");
            _formatted = schema is null ? null
                : BtfJsonEntryFormat.PerCpu(schema.Key, schema.Value, layout.PossibleCpuIds, style.Indented, depth + 1);
        }
        else
        {
            _valueSize = _blockSize = (int)layout.ValueStride;
            _beforeValues = [Encoding.UTF8.GetBytes($"{value}[")];
            _close = Encoding.UTF8.GetBytes($"]{typed}");
            _formatted = schema is null ? null : BtfJsonEntryFormat.Single(schema.Key, schema.Value, style.Indented, depth + 1);
        }

        byte[] Error(string errno)
        {
            return Encoding.UTF8.GetBytes($"{value}{style.ErrorObject(ErrnoText.Of(errno), depth + 1)}{end}}}");
        }
    }

    /// <summary>Writes an entry, or that the kernel refuses its value.</summary>
    public void Write(OutputBuffer output, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        output.Write(_open);
        HexBytes.WriteJson(output, key);
        if (_valueError is not null)
        {
            output.Write(_valueError);
            return;
        }

        for (int i = 0; i < _beforeValues.Length; i++)
        {
            output.Write(_beforeValues[i]);
            HexBytes.WriteJson(output, value.Slice(i * _blockSize, _valueSize));
        }

        output.Write(_close);
        _formatted?.Write(output, key, value);
        output.Write(_end);
    }

    /// <summary>Writes what bpftool prints for an index that holds nothing.</summary>
    public void WriteHole(OutputBuffer output, ReadOnlySpan<byte> key)
    {
        output.Write(_open);
        HexBytes.WriteJson(output, key);
        output.Write(_hole);
    }
}
