using System.Text.Json;
using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.Cli.Output;

/// <summary>Writes a node with every field of its message, under the names of the protocol.</summary>
internal static class NodeJson
{
    private static readonly JsonFormatter Formatter =
        new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true).WithPreserveProtoFieldNames(true));

    public static void Write(Utf8JsonWriter json, Node node)
    {
        using JsonDocument document = JsonDocument.Parse(Formatter.Format(node));
        document.RootElement.WriteTo(json);
    }
}
