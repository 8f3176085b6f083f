using System.Buffers;

namespace BpfRemote.Cli.Entries;

/// <summary>The texts of some rows, cell by cell, in one piece of memory that the next rows use again.</summary>
/// <param name="columns">Cells of a row.</param>
internal sealed class CellRows(int columns)
{
    private readonly ArrayBufferWriter<byte> _text = new();
    private readonly List<int> _ends = [];

    /// <summary>Where the text of the next cell is written to; <see cref="EndCell"/> ends it.</summary>
    public IBufferWriter<byte> Text => _text;

    /// <summary>Whole rows.</summary>
    public int Count => _ends.Count / columns;

    public void EndCell() => _ends.Add(_text.WrittenCount);

    public ReadOnlySpan<byte> Cell(int row, int column)
    {
        int index = (row * columns) + column;
        return _text.WrittenSpan[(index == 0 ? 0 : _ends[index - 1]).._ends[index]];
    }

    /// <summary>Bytes of a column's longest cell; a character each, but for names beyond ASCII.</summary>
    public int Width(int column)
    {
        int width = 0;
        for (int row = 0; row < Count; row++)
        {
            width = Math.Max(width, Cell(row, column).Length);
        }

        return width;
    }

    public void Clear()
    {
        _text.ResetWrittenCount();
        _ends.Clear();
    }
}
