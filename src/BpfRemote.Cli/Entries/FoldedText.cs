using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Entries;

/// <summary>Writes a long value over several lines, which break behind a comma, or at a space where there is none.</summary>
internal static class FoldedText
{
    /// <summary>Writes the value, and no end of a line after it.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="text">The value as one line.</param>
    /// <param name="column">Characters before it on its first line.</param>
    /// <param name="width">Columns that fit on a line; what has nowhere to break exceeds them.</param>
    /// <param name="indent">Spaces before the further lines.</param>
    public static void Write(OutputBuffer output, ReadOnlySpan<byte> text, int column, int width, int indent)
    {
        while (text.Length > width - column && BreakIn(text, Math.Max(0, width - column)) is > 0 and var end)
        {
            output.Write(text[..end]);
            output.Write($"\n{new string(' ', indent)}");
            text = text[(end + 1)..];
            column = indent;
        }

        output.Write(text);
    }

    // Where the last space is that ends the line early enough, else the first one; -1 for none.
    private static int BreakIn(ReadOnlySpan<byte> text, int room)
    {
        ReadOnlySpan<byte> line = text[..Math.Min(text.Length, room + 1)];
        int comma = line.LastIndexOf(", "u8);
        if (comma >= 0)
        {
            return comma + 1;
        }

        int space = line.LastIndexOf((byte)' ');
        return space >= 0 ? space : text.IndexOf((byte)' ');
    }
}
