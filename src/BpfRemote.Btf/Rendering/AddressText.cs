using System.Buffers.Binary;
using System.Globalization;

namespace BpfRemote.Btf;

/// <summary>Writes network addresses, whose bytes are in network order on every machine.</summary>
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
