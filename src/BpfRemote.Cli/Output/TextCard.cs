namespace BpfRemote.Cli.Output;

/// <summary>One thing described: a title, and below it labels with what they say.</summary>
internal sealed class TextCard(string title)
{
    private readonly List<(string Label, string Value)> _lines = [];

    /// <summary>Adds a line, or several under one label; none where there is no value.</summary>
    public void Add(string label, params IEnumerable<string> values)
    {
        foreach (string value in values)
        {
            _lines.Add((label, value));
            label = "";
        }
    }

    /// <summary>Writes the card.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="colour">Whether the title may be bold and labels dim.</param>
    public void Write(OutputBuffer output, bool colour)
    {
        int width = _lines.Max(static line => line.Label.Length);
        output.Write($"{TextStyle.Bold(title, colour)}\n");
        foreach ((string label, string value) in _lines)
        {
            output.Write($"  {TextStyle.Dim(label.PadRight(width), colour)}  {value}\n");
        }
    }
}
