using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Entries;

/// <summary>The fields of a key or a value on one line, above what belongs to them.</summary>
internal sealed class FieldTitle(IReadOnlyList<FieldColumn> columns, bool colour)
{
    /// <summary>Writes the fields.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="bytes">The key or the value.</param>
    /// <param name="isFirst">Whether nothing else is on the line.</param>
    /// <returns>Whether there are any.</returns>
    public bool Write(OutputBuffer output, ReadOnlySpan<byte> bytes, bool isFirst)
    {
        foreach (FieldColumn column in columns)
        {
            output.Write($"{(isFirst ? "" : "  ")}{TextStyle.Dim($"{column.Title} =", colour)} ");
            column.Format.Write(output, bytes);
            isFirst = false;
        }

        return columns.Count > 0;
    }
}
