using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Output;

/// <summary>
/// Writes comma-separated values: a header row, then key and value in hexadecimal, bytes in the order of memory; for per-CPU maps
/// a column for each CPU. The <c>0x</c> keeps spreadsheets from taking bytes for numbers.
/// </summary>
internal sealed class CsvEntryWriter(OutputBuffer output) : EntryWriter(output)
{
    private int _columns;
    private int _valueSize;
    private string? _error;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        _error = layout.ValueError.Length > 0 ? layout.ValueError : null;
        bool perCpu = layout.ValueKind == ValueKind.PerCpu;
        _columns = perCpu ? layout.PossibleCpuIds.Count : 1;
        _valueSize = (int)(perCpu ? layout.ValueSize : layout.ValueStride);
        Output.Write(_error is not null ? "key,error\n"
            : perCpu ? $"key,{string.Join(',', layout.PossibleCpuIds.Select(static cpu => $"cpu{cpu}"))}\n"
            : "key,value\n");
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Output.Write("0x"u8);
        HexBytes.WritePlain(Output, key);
        if (_error is not null)
        {
            Output.Write($",{_error}\n");
            return;
        }

        for (int i = 0; i < _columns; i++)
        {
            Output.Write(",0x"u8);
            HexBytes.WritePlain(Output, value.Slice(i * (value.Length / _columns), _valueSize));
        }

        Output.Write("\n"u8);
    }
}
