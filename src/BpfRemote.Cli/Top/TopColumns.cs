using System.Buffers;
using System.Globalization;
using System.Text;
using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Top;

/// <summary>Writes entries of one map as a table: keys, the number, its rate, and as many other fields of the value as fit.</summary>
internal sealed class TopColumns
{
    private const int Gap = 2;

    private readonly Column[] _columns;

    /// <param name="map">The map.</param>
    /// <param name="rawValues">Whether addresses stay the numbers that they are.</param>
    public TopColumns(TopMap map, bool rawValues)
    {
        string rate = map.Field.Name.Length > 0 ? $"{map.Field.Name}/s" : "PER SECOND";
        _columns =
        [
            .. map.Schema?.Key is { } key
                ? FieldColumn.Of(key, "KEY", rawValues).Select(static column => Typed(column, isKey: true))
                : Untyped(map),
            new(map.Field.Title, IsNumber: true, IsOptional: false, static (text, entry) => Write(text, $"{entry.Number}")),
            new(rate, IsNumber: true, IsOptional: false, WriteRate),
            .. map.Schema is null ? [] : FieldColumn.Of(map.Schema.Value, "VALUE", rawValues)
                .Where(column => column.Title != map.Field.Name && map.Field.Name.Length > 0)
                .Select(static column => Typed(column, isKey: false)),
        ];
    }

    /// <summary>Writes a table.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="entries">What is in it.</param>
    /// <param name="width">Columns that fit on a line.</param>
    /// <param name="colour">Whether the header may be bold.</param>
    public void Write(OutputBuffer output, IReadOnlyList<TopEntry> entries, int width, bool colour)
    {
        CellRows rows = Fill(_columns, entries);
        int room = width - Enumerable.Range(0, _columns.Length).Where(i => !_columns[i].IsOptional).Sum(i => Width(rows, i));
        List<Column> fitting = [];
        for (int i = 0; i < _columns.Length; i++)
        {
            int left = room - (_columns[i].IsOptional ? Width(rows, i) : 0);
            if (left >= -Gap || !_columns[i].IsOptional)
            {
                fitting.Add(_columns[i]);
                room = left;
            }
        }

        CellRows shown = Fill([.. fitting], entries);
        AlignedRows table = new([.. fitting.Select(static column => (column.Title, column.IsNumber))], shown, colour);
        table.Write(output, shown);
    }

    private static Column Typed(FieldColumn column, bool isKey) => new(
        column.Title, column.Format.IsNumber, IsOptional: !isKey, (text, entry) => column.Format.Write(text, isKey ? entry.Key : entry.Value));

    private static Column[] Untyped(TopMap map)
    {
        bool isNumber = NodeNumber.Fits(map.Layout.KeySize);
        return
        [
            new("KEY (HEX)", IsNumber: false, IsOptional: true, static (text, entry) => Write(text, string.Join(' ', entry.Key.Select(static b => $"{b:x2}")))),
            isNumber
                ? new("KEY", IsNumber: true, IsOptional: false, (text, entry) => Write(text, $"{NodeNumber.Read(entry.Key, map.Layout.ByteOrder)}"))
                : new("TEXT", IsNumber: false, IsOptional: false, static (text, entry) => Write(text, Text(entry.Key))),
        ];
    }

    private static string Text(byte[] bytes) => string.Concat(bytes.Select(static b => b is >= 0x20 and < 0x7f ? (char)b : '.'));

    private static void WriteRate(IBufferWriter<byte> text, TopEntry entry) => Write(text, entry.Rate is { } rate
        ? string.Create(CultureInfo.InvariantCulture, $"{(entry.IsNew ? "new " : "")}{rate:0.0}")
        : "-");

    private static void Write(IBufferWriter<byte> output, string text) => Encoding.UTF8.GetBytes(text, output);

    private static CellRows Fill(Column[] columns, IReadOnlyList<TopEntry> entries)
    {
        CellRows rows = new(columns.Length);
        foreach (TopEntry entry in entries)
        {
            foreach (Column column in columns)
            {
                column.Write(rows.Text, entry);
                rows.EndCell();
            }
        }

        return rows;
    }

    private int Width(CellRows rows, int column) => Math.Max(_columns[column].Title.Length, rows.Width(column)) + Gap;

    private sealed record Column(string Title, bool IsNumber, bool IsOptional, Action<IBufferWriter<byte>, TopEntry> Write);
}
