using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace BpfRemote.Cli.Output;

/// <summary>How JSON is laid out: on one line, or indented by 4 as bpftool does.</summary>
internal sealed class JsonStyle
{
    private const int IndentSize = 4;

    private JsonStyle(bool indented)
    {
        Indented = indented;
        WriterOptions = new()
        {
            Indented = indented,
            IndentSize = IndentSize,
            NewLine = "\n",
            // For terminals and files, never for HTML.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
    }

    public static JsonStyle Compact { get; } = new(indented: false);

    public static JsonStyle Pretty { get; } = new(indented: true);

    public bool Indented { get; }

    public JsonWriterOptions WriterOptions { get; }

    public string Space => Indented ? " " : "";

    public string Colon => Indented ? ": " : ":";

    public string NewLine(int depth) => Indented ? "\n" + new string(' ', depth * IndentSize) : "";

    public string Quote(string text) => $"\"{JsonEncodedText.Encode(text, WriterOptions.Encoder)}\"";

    /// <summary>bpftool's error object.</summary>
    public string ErrorObject(string message, int depth) =>
        $"{{{NewLine(depth + 1)}\"error\"{Colon}{Quote(message)}{NewLine(depth)}}}";

    /// <summary>Writes a document and ends the line.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="write">Writes its one value.</param>
    public void WriteDocument(OutputBuffer output, Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> text = new();
        using (Utf8JsonWriter json = new(text, WriterOptions))
        {
            write(json);
        }

        output.Write(text.WrittenSpan);
        output.Write("\n"u8);
    }
}
