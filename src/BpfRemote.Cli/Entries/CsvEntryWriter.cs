using System.Buffers;
using BpfRemote.Btf;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>
/// Writes comma-separated values (RFC 4180): a header row, then a row for each entry. Where types are known, a column for each field;
/// else key and value in hexadecimal, bytes in the order of memory, with a <c>0x</c> that keeps spreadsheets from taking them for
/// numbers. Values of per-CPU maps have their columns for each CPU.
/// </summary>
internal sealed class CsvEntryWriter(OutputBuffer output, bool rawValues) : EntryWriter(output)
{
    private readonly ArrayBufferWriter<byte> _field = new();
    private readonly List<Column> _columns = [];
    private string? _error;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        _columns.Clear();
        AddColumns("key", layout.KeySize, 0, schema?.Key, isKey: true);
        _error = layout.ValueError.Length > 0 ? layout.ValueError : null;
        if (_error is null && layout.ValueKind == ValueKind.PerCpu)
        {
            int block = (int)layout.ValueStride / layout.PossibleCpuIds.Count;
            for (int i = 0; i < layout.PossibleCpuIds.Count; i++)
            {
                AddColumns($"cpu{layout.PossibleCpuIds[i]}", layout.ValueSize, i * block, schema?.Value, isKey: false);
            }
        }
        else if (_error is null)
        {
            AddColumns("value", layout.ValueStride, 0, schema?.Value, isKey: false);
        }

        Output.Write(string.Join(',', _columns.Select(static column => column.Title).Concat(_error is null ? [] : ["error"])) + "\n");
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        for (int i = 0; i < _columns.Count; i++)
        {
            Output.Write(i > 0 ? ","u8 : default);
            Column column = _columns[i];
            ReadOnlySpan<byte> bytes = (column.IsKey ? key : value).Slice(column.Offset, column.Size);
            if (column.Format is null)
            {
                Output.Write("0x"u8);
                HexBytes.WritePlain(Output, bytes);
            }
            else
            {
                _field.ResetWrittenCount();
                column.Format.Write(_field, bytes);
                WriteText(_field.WrittenSpan);
            }
        }

        Output.Write(_error is null ? "\n" : $",{_error}\n");
    }

    private void AddColumns(string title, uint size, int offset, BtfValueLayout? layout, bool isKey)
    {
        if (layout is null)
        {
            _columns.Add(new(title, isKey, offset, (int)size, Format: null));
            return;
        }

        foreach (FieldColumn field in FieldColumn.Of(layout, "", rawValues))
        {
            // Which of all that is called so it is matters to scripts, if not to people.
            string name = field.Title.Length > 0 ? $"{title}.{field.Title}" : title;
            _columns.Add(new(name, isKey, offset, (int)size, field.Format));
        }
    }

    private void WriteText(ReadOnlySpan<byte> text)
    {
        // Text has quotes of its own already, as in C, which here stand for no character.
        text = text is [(byte)'"', .., (byte)'"'] ? text[1..^1] : text;
        if (text.IndexOfAny(",\"\n"u8) < 0)
        {
            Output.Write(text);
            return;
        }

        Output.Write("\""u8);
        for (int quote; (quote = text.IndexOf((byte)'"')) >= 0; text = text[(quote + 1)..])
        {
            Output.Write(text[..quote]);
            Output.Write("\"\""u8);
        }

        Output.Write(text);
        Output.Write("\""u8);
    }

    private sealed record Column(string Title, bool IsKey, int Offset, int Size, BtfTextFormat? Format);
}
