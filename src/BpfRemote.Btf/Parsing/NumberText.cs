using System.Globalization;

namespace BpfRemote.Btf;

/// <summary>
/// A whole number as somebody writes it: decimal, hexadecimal after <c>0x</c>, octal after <c>0</c>, with a sign or without.
/// </summary>
/// <param name="Magnitude">Without the sign.</param>
/// <param name="IsNegative">Whether it is below 0.</param>
/// <param name="IsDecimal">Whether it is a number only; hexadecimal and octal ones may be the bits of a number below 0 as well.</param>
internal readonly record struct NumberText(UInt128 Magnitude, bool IsNegative, bool IsDecimal)
{
    public static bool TryParse(string text, out NumberText number)
    {
        bool isNegative = text.StartsWith('-');
        ReadOnlySpan<char> digits = text.AsSpan(isNegative || text.StartsWith('+') ? 1 : 0);
        UInt128 magnitude;
        (bool parsed, bool isDecimal) = digits switch
        {
            ['0', 'x' or 'X', .. var hexadecimal] => (
                UInt128.TryParse(hexadecimal, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out magnitude), false),
            ['0', _, ..] => (TryParseOctal(digits, out magnitude), false),
            _ => (UInt128.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out magnitude), true),
        };
        number = new(magnitude, isNegative && magnitude != 0, isDecimal);
        return parsed;
    }

    /// <summary>Gives the bits of the number in two's complement, if it has no more of them.</summary>
    public bool TryGetBits(int width, bool isSigned, out UInt128 bits)
    {
        bits = IsNegative ? UInt128.Zero - Magnitude : Magnitude;
        UInt128 all = UInt128.MaxValue >> (128 - width), half = all >> 1;
        return IsNegative
            ? isSigned && Magnitude <= half + 1
            : Magnitude <= (isSigned && IsDecimal ? half : all);
    }

    private static bool TryParseOctal(ReadOnlySpan<char> digits, out UInt128 number)
    {
        number = 0;
        foreach (char digit in digits)
        {
            if (digit is < '0' or > '7' || number > UInt128.MaxValue >> 3)
            {
                return false;
            }

            number = (number << 3) | (uint)(digit - '0');
        }

        return true;
    }
}
