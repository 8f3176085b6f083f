using System.Globalization;
using System.Text;

namespace BpfRemote.Btf;

/// <summary>
/// Writes bytes that are characters, quoted and escaped, and reads them. Only ASCII is written as text: the encoding of the rest is
/// not known.
/// </summary>
internal static class CharacterText
{
    private const byte FirstPrintable = 0x20;
    private const byte LastPrintable = 0x7e;
    private const int MaxEscapeLength = 6;

    /// <summary>
    /// Writes a JSON string if the bytes are what bpftool takes for one: printable up to a zero byte, which must be there.
    /// </summary>
    /// <remarks>
    /// bpftool 7.1 writes a backslash as <c>\n</c> and an apostrophe as <c>\'</c>, which JSON does not know. Here they are escaped as
    /// JSON wants.
    /// </remarks>
    public static bool TryWriteJson(ref Utf8Output output, ReadOnlySpan<byte> bytes)
    {
        int length = bytes.IndexOf((byte)0);
        if (length < 0 || bytes[..length].ContainsAnyExceptInRange(FirstPrintable, LastPrintable))
        {
            return false;
        }

        output.Write((byte)'"');
        ReadOnlySpan<byte> rest = bytes[..length];
        for (int plain; (plain = rest.IndexOfAny((byte)'"', (byte)'\\')) >= 0; rest = rest[(plain + 1)..])
        {
            output.Write(rest[..plain]);
            output.Write((byte)'\\');
            output.Write(rest[plain]);
        }

        output.Write(rest);
        output.Write((byte)'"');
        return true;
    }

    /// <summary>Writes a string of C: up to the first zero byte, or all bytes.</summary>
    public static void WriteC(ref Utf8Output output, ReadOnlySpan<byte> bytes)
    {
        int length = bytes.IndexOf((byte)0);
        output.Write((byte)'"');
        foreach (byte character in length < 0 ? bytes : bytes[..length])
        {
            output.Advance(EscapeC(output.Reserve(MaxEscapeLength), character, quote: (byte)'"'));
        }

        output.Write((byte)'"');
    }

    /// <summary>Writes a character as a JSON string.</summary>
    /// <remarks>bpftool 7.1 does not escape the quote and the backslash.</remarks>
    public static int FormatJson(Span<byte> output, byte character)
    {
        output[0] = (byte)'"';
        int length = 1;
        if (character is < FirstPrintable or > LastPrintable)
        {
            "\\u00"u8.CopyTo(output[length..]);
            length += 4 + Hexadecimal(output[(length + 4)..], character);
        }
        else
        {
            if (character is (byte)'"' or (byte)'\\')
            {
                output[length++] = (byte)'\\';
            }

            output[length++] = character;
        }

        output[length++] = (byte)'"';
        return length;
    }

    /// <summary>Writes a character of C.</summary>
    public static int FormatC(Span<byte> output, byte character)
    {
        output[0] = (byte)'\'';
        int length = 1 + EscapeC(output[1..], character, quote: (byte)'\'');
        output[length++] = (byte)'\'';
        return length;
    }

    /// <summary>Reads a string or a character of C as it is written here; other than ASCII is taken as UTF-8.</summary>
    /// <param name="text">With its quotes.</param>
    /// <param name="quote">Which they are.</param>
    /// <param name="bytes">What it stands for, without a zero byte at the end.</param>
    public static bool TryParseC(string text, char quote, out byte[] bytes)
    {
        bytes = [];
        if (text.Length < 2 || text[0] != quote || text[^1] != quote)
        {
            return false;
        }

        List<byte> read = new(text.Length);
        for (ReadOnlySpan<char> rest = text.AsSpan()[1..^1]; !rest.IsEmpty;)
        {
            int plain = rest.IndexOfAny('\\', quote);
            read.AddRange(Encoding.UTF8.GetBytes(rest[..(plain < 0 ? rest.Length : plain)].ToString()));
            if (plain < 0)
            {
                break;
            }

            if (!TryUnescapeC(rest[plain..], out byte character, out int length))
            {
                return false;
            }

            read.Add(character);
            rest = rest[(plain + length)..];
        }

        bytes = [.. read];
        return true;
    }

    private static bool TryUnescapeC(ReadOnlySpan<char> text, out byte character, out int length)
    {
        (character, length) = text switch
        {
            ['\\', 'n', ..] => ((byte)'\n', 2),
            ['\\', 't', ..] => ((byte)'\t', 2),
            ['\\', '\\' or '"' or '\'', ..] => ((byte)text[1], 2),
            _ => ((byte)0, 4),
        };
        return length == 2
            || (text is ['\\', 'x', _, _, ..]
                && byte.TryParse(text[2..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out character));
    }

    private static int EscapeC(Span<byte> output, byte character, byte quote)
    {
        if (character is >= FirstPrintable and <= LastPrintable && character != quote && character != '\\')
        {
            output[0] = character;
            return 1;
        }

        output[0] = (byte)'\\';
        switch (character)
        {
            case (byte)'\n':
                output[1] = (byte)'n';
                return 2;
            case (byte)'\t':
                output[1] = (byte)'t';
                return 2;
            case >= FirstPrintable and <= LastPrintable:
                output[1] = character;
                return 2;
            default:
                output[1] = (byte)'x';
                return 2 + Hexadecimal(output[2..], character);
        }
    }

    private static int Hexadecimal(Span<byte> output, byte value)
    {
        Convert.TryToHexStringLower([value], output, out int written);
        return written;
    }
}
