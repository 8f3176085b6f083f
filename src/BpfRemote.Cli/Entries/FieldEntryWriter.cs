using System.Globalization;
using System.Text;
using BpfRemote.Btf;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>
/// Writes entries whose types are known: as a table with a column for each field where that fits, else as lines of fields. Which, and
/// how wide columns are, the first entries decide.
/// </summary>
/// <param name="output">Where to write.</param>
/// <param name="display">How to show them.</param>
internal sealed class FieldEntryWriter(OutputBuffer output, Display display) : EntryWriter(output)
{
    private const string CpuTitle = "CPU";

    private Layout _layout = new();
    private bool _isSection;
    private IReadOnlyList<FieldColumn> _key = [];
    private IReadOnlyList<FieldColumn> _value = [];
    private CellRows _rows = new(1);
    private IRowFormat? _format;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        _layout = layout;
        _isSection = schema!.Value.Kind == BtfValueKind.Section;
        _key = schema.Key is { } key ? FieldColumn.Of(key, "KEY", display.RawValues) : [];
        _value = FieldColumn.Of(schema.Value, "VALUE", display.RawValues);
        _rows = new(Math.Max(1, Titles.Length)); // a struct may have nothing but padding
        _format = null;
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (_layout.ValueKind != ValueKind.PerCpu)
        {
            AddCells(_key, key);
            AddCells(_value, value);
            return;
        }

        int stride = value.Length / _layout.PossibleCpuIds.Count;
        for (int i = 0; i < _layout.PossibleCpuIds.Count; i++)
        {
            // The key stands once, at the first of its rows.
            AddCells(_key, i == 0 ? key : default);
            Encoding.ASCII.GetBytes(_layout.PossibleCpuIds[i].ToString(CultureInfo.InvariantCulture), _rows.Text);
            _rows.EndCell();
            AddCells(_value, value.Slice(i * stride, stride));
        }
    }

    public override void Flush()
    {
        if (_rows.Count > 0)
        {
            Format().Write(Output, _rows);
            _rows.Clear();
        }
    }

    public override void EndMap(bool complete)
    {
        Flush();
        Format().End(Output);
    }

    private (string Title, bool IsNumber)[] Titles =>
    [
        .. _key.Select(static column => (column.Title, column.Format.IsNumber)),
        .. _layout.ValueKind == ValueKind.PerCpu ? [(CpuTitle, true)] : Array.Empty<(string, bool)>(),
        .. _value.Select(static column => (column.Title, column.Format.IsNumber)),
    ];

    private IRowFormat Format() => _format ??= ChooseFormat();

    private IRowFormat ChooseFormat()
    {
        // The variables of a section make one wide row; below each other they are what the program's source shows.
        AlignedRows table = new(Titles, _rows, display.Colour);
        return table.Width <= display.Width && !_isSection
            ? table
            : new FlowedRows([.. Titles.Select(static title => title.Title)], _key.Count, display.Width, oneALine: _isSection, display.Colour);
    }

    private void AddCells(IReadOnlyList<FieldColumn> columns, ReadOnlySpan<byte> bytes)
    {
        foreach (FieldColumn column in columns)
        {
            if (!bytes.IsEmpty)
            {
                column.Format.Write(_rows.Text, bytes);
            }

            _rows.EndCell();
        }
    }
}
