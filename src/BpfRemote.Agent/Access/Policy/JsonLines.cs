using System.Text.Json;

namespace BpfRemote.Agent.Access.Policy;

/// <summary>On which line of a JSON text each value begins, by its path: <c>rules[2].maps[0].name</c>.</summary>
internal static class JsonLines
{
    /// <summary>Finds the lines, counted from 1.</summary>
    /// <param name="json">Valid JSON.</param>
    public static Dictionary<string, int> Of(ReadOnlySpan<byte> json)
    {
        Dictionary<string, int> lines = [];
        Stack<(string Path, int Index)> containers = new(); // Index: of the next element of an array, -1 in an object
        string name = "";
        int line = 1;
        int counted = 0;
        Utf8JsonReader reader = new(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        while (reader.Read())
        {
            int start = checked((int)reader.TokenStartIndex);
            line += json[counted..start].Count((byte)'\n');
            counted = start;
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    name = reader.GetString()!;
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    containers.Pop();
                    break;
                default:
                    string path = PathOfNext(containers, name);
                    lines[path] = line;
                    if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                    {
                        containers.Push((path, reader.TokenType is JsonTokenType.StartArray ? 0 : -1));
                    }

                    break;
            }
        }

        return lines;
    }

    private static string PathOfNext(Stack<(string Path, int Index)> containers, string name)
    {
        if (!containers.TryPop(out (string Path, int Index) container))
        {
            return "";
        }

        if (container.Index < 0)
        {
            containers.Push(container);
            return container.Path.Length == 0 ? name : $"{container.Path}.{name}";
        }

        containers.Push((container.Path, container.Index + 1));
        return $"{container.Path}[{container.Index}]";
    }
}
