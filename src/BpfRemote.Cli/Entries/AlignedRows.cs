using System.Text;
using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Entries;

/// <summary>
/// Rows as a table with a header. Later rows may have longer cells than those the widths come from; these push their row out.
/// </summary>
internal sealed class AlignedRows : IRowFormat
{
    /// <summary>Characters between two columns.</summary>
    public const int Gap = 2;

    private readonly (string Title, bool IsNumber)[] _columns;
    private readonly int[] _widths;
    private readonly bool _colour;
    private bool _begun;

    /// <param name="columns">Titles, and whether what is under them is a number, which stands at the right.</param>
    /// <param name="first">The first rows.</param>
    /// <param name="colour">Whether the header may be bold.</param>
    public AlignedRows((string Title, bool IsNumber)[] columns, CellRows first, bool colour)
    {
        _columns = columns;
        _widths = [.. columns.Select((column, i) => Math.Max(column.Title.Length, first.Width(i)))];
        _colour = colour;
    }

    /// <summary>Characters of the widest line.</summary>
    public int Width => _widths.Sum() + ((_widths.Length - 1) * Gap);

    public void Write(OutputBuffer output, CellRows rows)
    {
        WriteHeader(output);
        for (int row = 0; row < rows.Count; row++)
        {
            int pending = 0;
            for (int column = 0; column < _columns.Length; column++)
            {
                ReadOnlySpan<byte> cell = rows.Cell(row, column);
                int padding = Math.Max(0, _widths[column] - cell.Length);
                if (_columns[column].IsNumber)
                {
                    (pending, padding) = (pending + padding, 0);
                }

                if (!cell.IsEmpty)
                {
                    WriteSpaces(output, pending);
                    output.Write(cell);
                    pending = 0;
                }

                pending += padding + Gap;
            }

            output.Write("\n"u8);
        }
    }

    public void End(OutputBuffer output) => WriteHeader(output);

    private void WriteHeader(OutputBuffer output)
    {
        if (_begun)
        {
            return;
        }

        _begun = true;
        StringBuilder line = new();
        for (int i = 0; i < _columns.Length; i++)
        {
            (string title, bool isNumber) = _columns[i];
            line.Append(' ', i > 0 ? Gap : 0).Append(isNumber ? title.PadLeft(_widths[i]) : title.PadRight(_widths[i]));
        }

        output.Write($"{TextStyle.Bold(line.ToString().TrimEnd(), _colour)}\n");
    }

    private static void WriteSpaces(OutputBuffer output, int count)
    {
        while (count > 0)
        {
            int chunk = Math.Min(count, OutputBuffer.MaxReserve);
            output.Reserve(chunk)[..chunk].Fill((byte)' ');
            output.Advance(chunk);
            count -= chunk;
        }
    }
}
