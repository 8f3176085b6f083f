using System.Globalization;
using System.Text;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Arguments;

/// <summary>Reads <c>id N</c>, <c>name NAME</c> or <c>pinned PATH</c>.</summary>
internal static class SelectorWords
{
    /// <summary>For the help.</summary>
    public const string Grammar = "MAP";

    /// <summary>For the help: what <see cref="Grammar"/> is.</summary>
    public const string Description = "MAP is id N, name NAME (every map that has it) or pinned PATH.";

    // BPF_OBJ_NAME_LEN without the terminating zero.
    private const int MaxNameBytes = 15;

    /// <exception cref="CommandException">The words do not select a map.</exception>
    public static MapSelector Take(WordReader words)
    {
        if (words.TryTakeKeyword("id"))
        {
            return MapSelectors.ById(ParseId(words.Take("a map id after 'id'")));
        }

        if (words.TryTakeKeyword("name"))
        {
            string name = words.Take("a map name after 'name'");
            return Encoding.UTF8.GetByteCount(name) is >= 1 and <= MaxNameBytes
                ? MapSelectors.ByName(name)
                : throw CommandException.Usage($"can't parse name '{name}': the kernel keeps names of 1 to {MaxNameBytes} bytes");
        }

        if (words.TryTakeKeyword("pinned"))
        {
            string path = words.Take("an absolute path after 'pinned'");
            return path.StartsWith('/')
                ? MapSelectors.ByPinnedPath(path)
                : throw CommandException.Usage($"can't use path '{path}': a pin on the node is named by its absolute path");
        }

        string got = words.Take("a map: 'id N', 'name NAME' or 'pinned PATH'");
        throw CommandException.Usage($"expected 'id', 'name' or 'pinned', got: '{got}'?");
    }

    private static uint ParseId(string word)
    {
        bool parsed = word.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? uint.TryParse(word.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint id)
            : uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out id);
        return parsed && id > 0
            ? id
            : throw CommandException.Usage($"can't parse {word} as ID");
    }
}
