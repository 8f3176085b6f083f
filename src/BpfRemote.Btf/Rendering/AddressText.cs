using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace BpfRemote.Btf;

/// <summary>Writes and reads network addresses, whose bytes are in network order on every machine.</summary>
internal static class AddressText
{
    /// <summary>Dotted decimal.</summary>
    public static int FormatIpv4(Span<byte> output, ReadOnlySpan<byte> address)
    {
        int length = 0;
        for (int i = 0; i < 4; i++)
        {
            if (i > 0)
            {
                output[length++] = (byte)'.';
            }

            address[i].TryFormat(output[length..], out int written, default, CultureInfo.InvariantCulture);
            length += written;
        }

        return length;
    }

    /// <summary>RFC 5952: groups without leading zeros, the longest run of zero groups as <c>::</c>, mapped IPv4 dotted.</summary>
    public static int FormatIpv6(Span<byte> output, ReadOnlySpan<byte> address)
    {
        if (!address[..10].ContainsAnyExcept((byte)0) && GroupAt(address, 5) == 0xffff)
        {
            "::ffff:"u8.CopyTo(output);
            return 7 + FormatIpv4(output[7..], address[12..]);
        }

        (int firstZero, int afterZeros) = LongestZeros(address);
        int length = 0;
        for (int group = 0; group < 8; group++)
        {
            if (group == firstZero)
            {
                "::"u8.CopyTo(output[length..]);
                length += 2;
                group = afterZeros - 1;
                continue;
            }

            if (group > 0 && group != afterZeros)
            {
                output[length++] = (byte)':';
            }

            GroupAt(address, group).TryFormat(output[length..], out int written, "x", CultureInfo.InvariantCulture);
            length += written;
        }

        return length;
    }

    /// <summary>Six bytes in hexadecimal with colons between.</summary>
    public static int FormatMac(Span<byte> output, ReadOnlySpan<byte> address)
    {
        for (int i = 0; i < 6; i++)
        {
            address[i].TryFormat(output[(i * 3)..], out _, "x2", CultureInfo.InvariantCulture);
            if (i < 5)
            {
                output[(i * 3) + 2] = (byte)':';
            }
        }

        return 17;
    }

    /// <summary>Reads what <see cref="FormatIpv4"/> writes: four numbers without leading zeros.</summary>
    public static bool TryParseIpv4(string text, Span<byte> address) =>
        IPAddress.TryParse(text, out IPAddress? parsed) && parsed.ToString() == text && parsed.TryWriteBytes(address, out int length)
        && length == 4;

    /// <summary>Reads an IPv6 address in any of its forms, without a zone.</summary>
    public static bool TryParseIpv6(string text, Span<byte> address) =>
        !text.AsSpan().ContainsAny('%', '[') && text.Contains(':', StringComparison.Ordinal)
        && IPAddress.TryParse(text, out IPAddress? parsed) && parsed.TryWriteBytes(address, out int length) && length == 16;

    /// <summary>Reads what <see cref="FormatMac"/> writes, with colons or hyphens.</summary>
    public static bool TryParseMac(string text, Span<byte> address)
    {
        if (text.Length != 17)
        {
            return false;
        }

        for (int i = 0; i < 6; i++)
        {
            if (!byte.TryParse(text.AsSpan(i * 3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out address[i])
                || (i < 5 && text[(i * 3) + 2] is not (':' or '-')))
            {
                return false;
            }
        }

        return true;
    }

    private static ushort GroupAt(ReadOnlySpan<byte> address, int group) => BinaryPrimitives.ReadUInt16BigEndian(address[(group * 2)..]);

    // A single zero group stays as it is: then there is no first, -1.
    private static (int First, int After) LongestZeros(ReadOnlySpan<byte> address)
    {
        (int First, int After) longest = (-1, -1);
        for (int first = 0; first < 8; first++)
        {
            int after = first;
            while (after < 8 && GroupAt(address, after) == 0)
            {
                after++;
            }

            if (after - first > Math.Max(1, longest.After - longest.First))
            {
                longest = (first, after);
            }
        }

        return longest;
    }
}
