using BpfRemote.Btf;
using BpfRemote.Cli.Entries;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Arguments;

/// <summary>Reads <c>key FIELD=VALUE…</c>, a key by the fields of its type; <c>key =VALUE</c> where it has none.</summary>
internal static class FieldWords
{
    /// <summary>Takes the key and all words after it, if they are fields.</summary>
    /// <returns>The fields and what is given for them; null where the words are something else, which is not taken.</returns>
    /// <exception cref="CommandException">Not all are fields.</exception>
    public static IReadOnlyList<(string Path, string Text)>? TryTake(WordReader words)
    {
        if (!words.Rest.Any(static word => word.Contains('=', StringComparison.Ordinal)))
        {
            return null;
        }

        if (!words.TryTakeKeyword("key"))
        {
            throw CommandException.Usage($"expected 'key', got: '{words.Take("'key'")}'");
        }

        return [.. words.TakeAll().Select(Split)];
    }

    /// <summary>The bytes of a key.</summary>
    /// <param name="fields">What is given.</param>
    /// <param name="map">The map.</param>
    /// <param name="schema">What its keys are; null where that is not known.</param>
    /// <param name="rawValues">Whether addresses are given as plain numbers.</param>
    /// <exception cref="CommandException">The key has no such fields, or more; which there are is said.</exception>
    public static byte[] Encode(IEnumerable<(string Path, string Text)> fields, Map map, MapSchema? schema, bool rawValues)
    {
        if (schema?.Key is not { } layout)
        {
            throw CommandException.Usage(
                $"the fields of map {map.Id}'s keys are not known: give the key as {map.KeySize} bytes, or their type with --btf");
        }

        byte[] key = new byte[map.KeySize];
        try
        {
            string[] missing = [.. new BtfValueParser(layout, rawValues).Parse(fields, key).Where(static name => !FieldColumn.IsPadding(name))];
            return missing.Length == 0
                ? key
                : throw CommandException.Usage($"a key has also {string.Join(", ", missing)}: give a value for each");
        }
        catch (BtfTextException error)
        {
            throw CommandException.Usage(error.Message);
        }
    }

    private static (string Path, string Text) Split(string word)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        return equals >= 0
            ? (word[..equals], word[(equals + 1)..])
            : throw CommandException.Usage($"expected FIELD=VALUE, got: '{word}'");
    }
}
