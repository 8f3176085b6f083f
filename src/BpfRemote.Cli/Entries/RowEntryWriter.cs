using System.Globalization;
using System.Text;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>
/// Writes entries as rows: bytes, and beside them what they are as a number, or as text where they are no number. How wide columns are,
/// the first entries decide.
/// </summary>
internal sealed class RowEntryWriter(OutputBuffer output, bool colour) : EntryWriter(output)
{
    private const string CpuTitle = "CPU";

    private Layout _layout = new();
    private Cell? _key;
    private Cell? _value;
    private CellRows _rows = new(1);
    private AlignedRows? _table;

    /// <summary>Characters of a row where numbers are small.</summary>
    public static int LeastWidth(Layout layout) =>
        (KeyCell(layout) is { } key ? key.LeastWidth + AlignedRows.Gap : 0)
        + (layout.ValueKind == ValueKind.PerCpu ? CpuTitle.Length + AlignedRows.Gap : 0)
        + (ValueCell(layout)?.LeastWidth ?? 0);

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        _layout = layout;
        _key = KeyCell(layout);
        _value = ValueCell(layout);
        _rows = new(Columns.Length);
        _table = null;
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (_value is null)
        {
            _key?.AddTo(_rows, key);
            AddText($"<the kernel gives no value: {_layout.ValueError}>");
        }
        else if (_layout.ValueKind != ValueKind.PerCpu)
        {
            _key?.AddTo(_rows, key);
            _value.AddTo(_rows, value);
        }
        else
        {
            AddCpus(_value, key, value);
        }
    }

    public override void Flush()
    {
        if (_rows.Count > 0)
        {
            Table().Write(Output, _rows);
            _rows.Clear();
        }
    }

    public override void EndMap(bool complete)
    {
        Flush();
        Table().End(Output);
    }

    private (string Title, bool IsNumber)[] Columns =>
    [
        .. _key?.Columns ?? [],
        .. _layout.ValueKind == ValueKind.PerCpu ? [(CpuTitle, true)] : Array.Empty<(string, bool)>(),
        .. _value?.Columns ?? [("VALUE", false)],
    ];

    private static Cell? KeyCell(Layout layout) =>
        layout.KeySize > 0 ? new("KEY (HEX)", layout.KeySize, ValueKind.Raw, layout.ByteOrder) : null;

    private static Cell? ValueCell(Layout layout) => layout.ValueError.Length > 0 ? null : new(
        "VALUE (HEX)",
        layout.ValueKind == ValueKind.PerCpu ? layout.ValueSize : layout.ValueStride,
        layout.ValueKind,
        layout.ByteOrder);

    private AlignedRows Table() => _table ??= new(Columns, _rows, colour);

    private void AddCpus(Cell cell, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int stride = value.Length / _layout.PossibleCpuIds.Count;
        for (int i = 0; i < _layout.PossibleCpuIds.Count; i++)
        {
            // The key stands once, at the first of its rows.
            _key?.AddTo(_rows, i == 0 ? key : default);
            AddText(_layout.PossibleCpuIds[i].ToString(CultureInfo.InvariantCulture));
            cell.AddTo(_rows, value.Slice(i * stride, (int)_layout.ValueSize));
        }
    }

    private void AddText(string text)
    {
        Encoding.ASCII.GetBytes(text, _rows.Text);
        _rows.EndCell();
    }
}
