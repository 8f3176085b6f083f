using System.Text;
using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Entries;

/// <summary>
/// Each row as lines of <c>name = value</c>, as many on a line as fit: the key's at the margin, the value's indented below. A value longer
/// than a line goes on in the next.
/// </summary>
internal sealed class FlowedRows : IRowFormat
{
    private const int Indent = 4;
    private const int Gap = 2;

    private readonly int _keys;
    private readonly int _width;
    private readonly bool _oneALine;
    private readonly (byte[] Text, int Width)[] _names;
    private bool _any;

    /// <param name="titles">The names of the columns.</param>
    /// <param name="keys">How many of them are of the key.</param>
    /// <param name="width">Columns that fit on a line.</param>
    /// <param name="oneALine">Whether each has a line of its own.</param>
    /// <param name="colour">Whether names may be dim.</param>
    public FlowedRows(string[] titles, int keys, int width, bool oneALine, bool colour)
    {
        _keys = keys;
        _width = width;
        _oneALine = oneALine;
        _names =
        [
            .. titles.Select(title => (Encoding.UTF8.GetBytes($"{TextStyle.Dim($"{title} =", colour)} "), title.Length + " = ".Length)),
        ];
    }

    public void Write(OutputBuffer output, CellRows rows)
    {
        for (int row = 0; row < rows.Count; row++)
        {
            // A further CPU of the same entry has no key.
            bool hasKey = _keys > 0 && !rows.Cell(row, 0).IsEmpty;
            output.Write(_any && (hasKey || _keys == 0) ? "\n"u8 : default);
            if (hasKey)
            {
                WriteFields(output, rows, row, 0, _keys, indent: 0);
            }

            WriteFields(output, rows, row, _keys, _names.Length, _keys > 0 ? Indent : 0);
            _any = true;
        }
    }

    public void End(OutputBuffer output)
    {
    }

    private void WriteFields(OutputBuffer output, CellRows rows, int row, int begin, int end, int indent)
    {
        int column = 0;
        for (int i = begin; i < end; i++)
        {
            ReadOnlySpan<byte> cell = rows.Cell(row, i);
            int length = _names[i].Width + cell.Length;
            bool isFirst = i == begin;
            if (isFirst || _oneALine || column + Gap + length > _width)
            {
                output.Write($"{(isFirst ? "" : "\n")}{new string(' ', indent)}");
                column = indent;
            }
            else
            {
                output.Write("  "u8);
                column += Gap;
            }

            output.Write(_names[i].Text);
            FoldedText.Write(output, cell, column + _names[i].Width, _width, indent + Indent);
            column += length;
        }

        output.Write("\n"u8);
    }
}
