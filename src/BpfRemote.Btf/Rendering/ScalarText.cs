using System.Buffers.Text;
using System.Globalization;

namespace BpfRemote.Btf;

/// <summary>Writes numbers, addresses and single characters.</summary>
internal static class ScalarText
{
    /// <summary>No scalar takes more bytes.</summary>
    public const int MaxLength = 64;

    /// <summary>Writes the part of a value that a step is about.</summary>
    /// <param name="output">At least <see cref="MaxLength"/> bytes.</param>
    /// <param name="step">Of a kind that writes one scalar.</param>
    /// <param name="bytes">From the part on.</param>
    /// <param name="order">The byte order of the machine that the value is from.</param>
    /// <returns>Bytes written.</returns>
    public static int Format(Span<byte> output, in RenderStep step, ReadOnlySpan<byte> bytes, BtfByteOrder order)
    {
        switch (step.Kind)
        {
            case StepKind.Unsigned:
                return Decimal(output, Bits(step, bytes, order));
            case StepKind.Signed:
                int unused = 64 - step.Width;
                return Decimal(output, (long)(Bits(step, bytes, order) << unused) >> unused);
            case StepKind.NetworkOrder:
                return Decimal(output, new BtfByteOrder(IsBigEndian: true).Unsigned(bytes, step.Size));
            case StepKind.Hex:
                return Hexadecimal(output, step.BitSize != 0
                    ? order.Bits(bytes, step.BitOffset, step.BitSize)
                    : step.Size == 16 ? order.UInt128(bytes) : order.Unsigned(bytes, step.Size));
            case StepKind.Boolean:
                return Copy(output, IsZero(step, bytes, order) ? "false"u8 : "true"u8);
            case StepKind.Float:
                return Float(output, step.Size, bytes, order);
            case StepKind.HexBytes:
                Convert.TryToHexStringLower(bytes[..step.Size], output, out int digits);
                return digits;
            case StepKind.JsonCharacter:
                return CharacterText.FormatJson(output, bytes[0]);
            case StepKind.CCharacter:
                return CharacterText.FormatC(output, bytes[0]);
            case StepKind.Ipv4:
                return AddressText.FormatIpv4(output, bytes);
            case StepKind.Ipv6:
                return AddressText.FormatIpv6(output, bytes);
            case StepKind.Mac:
                return AddressText.FormatMac(output, bytes);
            default:
                throw new InvalidOperationException($"{step.Kind} is no scalar.");
        }
    }

    /// <summary>The bits of a number of at most 64.</summary>
    public static ulong Bits(in RenderStep step, ReadOnlySpan<byte> bytes, BtfByteOrder order) =>
        step.BitSize != 0 ? (ulong)order.Bits(bytes, step.BitOffset, step.BitSize) : order.Unsigned(bytes, step.Size);

    private static bool IsZero(in RenderStep step, ReadOnlySpan<byte> bytes, BtfByteOrder order) => step.BitSize != 0
        ? order.Bits(bytes, step.BitOffset, step.BitSize) == 0
        : !bytes[..step.Size].ContainsAnyExcept((byte)0);

    private static int Float(Span<byte> output, int size, ReadOnlySpan<byte> bytes, BtfByteOrder order)
    {
        int written;
        switch (size)
        {
            case 2:
                Half half = BitConverter.UInt16BitsToHalf(order.UInt16(bytes));
                return Half.IsFinite(half) && half.TryFormat(output, out written, default, CultureInfo.InvariantCulture)
                    ? written
                    : Quoted(output, (double)half);
            case 4:
                float single = BitConverter.UInt32BitsToSingle(order.UInt32(bytes));
                return float.IsFinite(single) && single.TryFormat(output, out written, default, CultureInfo.InvariantCulture)
                    ? written
                    : Quoted(output, single);
            default:
                double number = BitConverter.UInt64BitsToDouble(order.UInt64(bytes));
                return double.IsFinite(number) && number.TryFormat(output, out written, default, CultureInfo.InvariantCulture)
                    ? written
                    : Quoted(output, number);
        }
    }

    // JSON has no number for these.
    private static int Quoted(Span<byte> output, double number) => Copy(output, number switch
    {
        double.PositiveInfinity => "\"Infinity\""u8,
        double.NegativeInfinity => "\"-Infinity\""u8,
        _ => "\"NaN\""u8,
    });

    private static int Decimal(Span<byte> output, ulong number)
    {
        Utf8Formatter.TryFormat(number, output, out int written);
        return written;
    }

    private static int Decimal(Span<byte> output, long number)
    {
        Utf8Formatter.TryFormat(number, output, out int written);
        return written;
    }

    private static int Hexadecimal(Span<byte> output, UInt128 number)
    {
        "0x"u8.CopyTo(output);
        number.TryFormat(output[2..], out int written, "x", CultureInfo.InvariantCulture);
        return 2 + written;
    }

    private static int Copy(Span<byte> output, ReadOnlySpan<byte> text)
    {
        text.CopyTo(output);
        return text.Length;
    }
}
