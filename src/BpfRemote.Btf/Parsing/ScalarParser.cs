using System.Globalization;

namespace BpfRemote.Btf;

/// <summary>Reads numbers, names, characters and booleans as somebody writes them into the bits of a value.</summary>
internal static class ScalarParser
{
    private const int MostListed = 20;

    /// <param name="field">What is given.</param>
    /// <param name="text">What it is given as.</param>
    /// <param name="meaning">Of its name.</param>
    /// <param name="bytes">From the field's first byte on.</param>
    /// <exception cref="BtfTextException">The text is none for this field.</exception>
    public static void Write(BtfField field, string text, ValueMeaning meaning, Span<byte> bytes)
    {
        BtfByteOrder order = meaning == ValueMeaning.NetworkOrder ? new(IsBigEndian: true) : field.Layout.Order;
        bool parsed = field.Layout.Kind switch
        {
            BtfValueKind.Float when field.Layout.Size > sizeof(double) => TryWriteHexadecimal(text, bytes[..field.Layout.Size]),
            BtfValueKind.Float => TryWriteFloat(text, field.Layout.Size, bytes, order),
            _ => TryWriteBits(field, text, bytes, order),
        };
        if (!parsed)
        {
            string place = field.Name.Length > 0 ? field.Name : field.Layout.TypeName;
            throw new BtfTextException($"{place}: '{text}' is not {Address(meaning)}{Expected(field, text)}");
        }
    }

    /// <summary>What an address looks like, for what was expected; empty where none was.</summary>
    public static string Address(ValueMeaning meaning) => meaning switch
    {
        ValueMeaning.Ipv4 => "an IPv4 address such as 10.0.0.1 or ",
        ValueMeaning.Ipv6 => "an IPv6 address such as 2001:db8::1 or ",
        ValueMeaning.Mac => "a MAC address such as 02:42:ac:11:00:0a or ",
        _ => "",
    };

    private static bool TryWriteBits(BtfField field, string text, Span<byte> bytes, BtfByteOrder order)
    {
        if (!TryParse(field.Layout, text, out NumberText number)
            || !number.TryGetBits(field.Width, field.Layout.IsSigned, out UInt128 bits))
        {
            return false;
        }

        order.Write(bytes, field.BitOffset, field.Width, bits);
        return true;
    }

    private static bool TryParse(BtfValueLayout layout, string text, out NumberText number)
    {
        if (NumberText.TryParse(text, out number))
        {
            return layout.Kind != BtfValueKind.Boolean || number.Magnitude <= 1;
        }

        switch (layout.Kind)
        {
            case BtfValueKind.Boolean when text is "true" or "false":
                number = new(text == "true" ? 1u : 0, IsNegative: false, IsDecimal: true);
                return true;
            case BtfValueKind.Enumeration:
                return TryParseName(layout, text, out number);
            case BtfValueKind.Integer or BtfValueKind.Character when layout.Size == 1
                && CharacterText.TryParseC(text, '\'', out byte[] bytes) && bytes is [var character]:
                number = new(character, IsNegative: false, IsDecimal: false);
                return true;
            default:
                return false;
        }
    }

    private static bool TryParseName(BtfValueLayout layout, string name, out NumberText number)
    {
        foreach (BtfEnumerator enumerator in layout.Enumerators)
        {
            if (enumerator.Name == name)
            {
                bool isNegative = layout.IsSigned && enumerator.Value < 0;
                ulong bits = (ulong)enumerator.Value;
                number = new(isNegative ? 0 - bits : bits, isNegative, IsDecimal: true);
                return true;
            }
        }

        number = default;
        return false;
    }

    private static bool TryWriteFloat(string text, int size, Span<byte> bytes, BtfByteOrder order)
    {
        // What is no number is written in quotes.
        if (!double.TryParse(text.Trim('"'), NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
        {
            return false;
        }

        ulong bits = FloatBits.Of(number, size);
        order.Write(bytes, bitOffset: 0, size * 8, bits);
        return double.IsFinite(FloatBits.Read(bits, size)) || !text.AsSpan().ContainsAnyInRange('0', '9');
    }

    private static bool TryWriteHexadecimal(string text, Span<byte> bytes) =>
        text.Length == bytes.Length * 2 && text.All(char.IsAsciiHexDigit)
        && Convert.FromHexString(text, bytes, out _, out _) == System.Buffers.OperationStatus.Done;

    private static string Expected(BtfField field, string text)
    {
        BtfValueLayout layout = field.Layout;
        IEnumerable<string> names = layout.Enumerators.Select(enumerator => enumerator.Name);
        string listed = string.Join(", ", names.Take(MostListed)) + (layout.Enumerators.Count > MostListed ? ", …" : "");
        return layout.Kind switch
        {
            BtfValueKind.Boolean => "true, false, 1 or 0.",
            BtfValueKind.Float when layout.Size > sizeof(double) => $"{layout.Size} bytes in hexadecimal.",
            BtfValueKind.Float => $"a floating-point number of {layout.Size} bytes.",
            BtfValueKind.Enumeration => $"one of {listed} or {Range(field)}.{NearNames.Suggest(text, names)}",
            _ when layout.IsCharacter => $"a character such as 'a' or {Range(field)}.",
            _ => $"{Range(field)}.",
        };
    }

    private static string Range(BtfField field)
    {
        UInt128 all = UInt128.MaxValue >> (128 - field.Width);
        return field.Layout.IsSigned ? $"a number from -{(all >> 1) + 1} to {all >> 1}" : $"a number from 0 to {all}";
    }
}
