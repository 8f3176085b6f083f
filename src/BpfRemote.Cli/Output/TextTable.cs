using System.Text;

namespace BpfRemote.Cli.Output;

/// <summary>Text in aligned columns, under a header row where the columns have names.</summary>
internal sealed class TextTable
{
    private const string Gap = "  ";

    private readonly (string Title, bool AlignRight)[] _columns;
    private readonly List<(string[] Cells, string[] Notes)> _rows = [];

    /// <param name="columns">The titles of the columns, and whether what is under them is a number.</param>
    public TextTable(params (string Title, bool AlignRight)[] columns) => _columns = columns;

    /// <summary>Adds a row.</summary>
    /// <param name="cells">A text for each column.</param>
    /// <param name="notes">Lines below the row.</param>
    public void Add(string[] cells, params string[] notes) => _rows.Add((cells, notes));

    /// <summary>Writes the table.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="colour">Whether the header may be bold and notes dim.</param>
    public void Write(OutputBuffer output, bool colour)
    {
        int[] widths = [.. _columns.Select((column, i) => _rows.Select(row => row.Cells[i].Length).Append(column.Title.Length).Max())];
        output.Write(TextStyle.Bold(Line([.. _columns.Select(static column => column.Title)], widths), colour) + "\n");
        foreach ((string[] cells, string[] notes) in _rows)
        {
            output.Write(Line(cells, widths) + "\n");
            foreach (string note in notes)
            {
                output.Write(TextStyle.Dim(new string(' ', widths[0]) + Gap + note, colour) + "\n");
            }
        }
    }

    private string Line(string[] cells, int[] widths)
    {
        StringBuilder line = new();
        for (int i = 0; i < cells.Length; i++)
        {
            line.Append(i > 0 ? Gap : "");
            line.Append(_columns[i].AlignRight ? cells[i].PadLeft(widths[i]) : cells[i].PadRight(widths[i]));
        }

        return line.ToString().TrimEnd();
    }
}
