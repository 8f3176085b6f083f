namespace BpfRemote.Cli.Arguments;

/// <summary>
/// Reads <c>key [hex] BYTES…</c>: one word a byte, in the order of memory. A byte is decimal, hexadecimal after <c>0x</c>, or octal
/// after a leading 0; after <c>hex</c> every byte is hexadecimal, with or without <c>0x</c>.
/// </summary>
internal static class KeyWords
{
    private const string Digits = "0123456789abcdef";

    /// <summary>Takes the key and all words after it.</summary>
    /// <returns>The key's bytes; <see langword="null"/> where no words are left, for maps without keys need none.</returns>
    /// <exception cref="CommandException">The words are not a key.</exception>
    public static byte[]? Take(WordReader words)
    {
        if (words.AtEnd)
        {
            return null;
        }

        if (!words.TryTakeKeyword("key"))
        {
            throw CommandException.Usage($"expected 'key', got: '{words.Take("'key'")}'");
        }

        bool hex = words.TryTakeKeyword("hex");
        return [.. words.TakeAll().Select(word => ParseByte(word, hex))];
    }

    /// <summary>The key, where it fits the map.</summary>
    /// <param name="key">What <see cref="Take"/> gave.</param>
    /// <param name="keySize">The map's key size in bytes; 0 for maps without keys.</param>
    /// <exception cref="CommandException">It does not fit: the size it should have is said.</exception>
    public static byte[] Fit(byte[]? key, uint keySize) => key switch
    {
        null when keySize == 0 => [],
        null => throw CommandException.Usage("did not find key"),
        not null when keySize == 0 => throw CommandException.Usage("unnecessary key"),
        _ when key.Length != keySize => throw CommandException.Usage($"key expected {keySize} bytes got {key.Length}"),
        _ => key,
    };

    private static byte ParseByte(string word, bool hex)
    {
        (string digits, int radix) = word switch
        {
            ['0', 'x' or 'X', ..] => (word[2..], 16),
            _ when hex => (word, 16),
            ['0', _, ..] => (word[1..], 8),
            _ => (word, 10),
        };

        int value = 0;
        foreach (char c in digits)
        {
            int digit = Digits.IndexOf(char.ToLowerInvariant(c), StringComparison.Ordinal);
            if (digit < 0 || digit >= radix)
            {
                throw NotAByte(word);
            }

            // Saturates: all that matters beyond a byte is that it is beyond a byte.
            value = Math.Min((value * radix) + digit, byte.MaxValue + 1);
        }

        return digits.Length == 0 ? throw NotAByte(word)
            : value > byte.MaxValue ? throw CommandException.Usage($"byte out of range: {word} (a byte is 0 to 255, 0xff)")
            : (byte)value;
    }

    private static CommandException NotAByte(string word)
    {
        string hint = word switch
        {
            ['0', _, ..] when word.All(char.IsAsciiDigit) => " (a leading 0 means octal)",
            [_, ..] when word.All(char.IsAsciiHexDigit) => $" (for hexadecimal write 0x{word}, or 'hex' before the bytes)",
            _ => "",
        };
        return CommandException.Usage($"error parsing byte: '{word}'{hint}");
    }
}
