namespace BpfRemote.Btf;

/// <summary>Where the sections of raw BTF lie: <c>struct btf_header</c>.</summary>
/// <param name="Order">The byte order of everything in it.</param>
/// <param name="Types">The records of the types.</param>
/// <param name="Strings">The names, each ended by a zero byte.</param>
internal readonly record struct BtfHeader(BtfByteOrder Order, Range Types, Range Strings)
{
    private const ushort Magic = 0xeb9f;
    private const byte Version = 1;
    private const int Size = 24;

    /// <summary>Reads the header. Fields behind those known here are passed over, as <c>hdr_len</c> is for.</summary>
    public static BtfHeader Read(ReadOnlySpan<byte> btf)
    {
        if (btf.Length < Size)
        {
            throw new BtfFormatException($"{btf.Length} bytes are too few for BTF: its header alone takes {Size}.");
        }

        BtfByteOrder order = btf[..2] switch
        {
            [0x9f, 0xeb] => new(IsBigEndian: false),
            [0xeb, 0x9f] => new(IsBigEndian: true),
            _ => throw new BtfFormatException($"Not BTF: it begins with {btf[0]:x2}{btf[1]:x2}, not with the magic {Magic:x4}."),
        };
        if (btf[2] != Version)
        {
            throw new BtfFormatException($"BTF version {btf[2]} is not known; {Version} is.");
        }

        uint headerSize = order.UInt32(btf[4..]);
        if (headerSize < Size || headerSize > btf.Length)
        {
            throw new BtfFormatException($"The header says it takes {headerSize} of {btf.Length} bytes.");
        }

        Range types = Section("types", order.UInt32(btf[8..]), order.UInt32(btf[12..]), headerSize, btf.Length);
        Range strings = Section("strings", order.UInt32(btf[16..]), order.UInt32(btf[20..]), headerSize, btf.Length);
        if (types.Start.Value % 4 != headerSize % 4)
        {
            throw new BtfFormatException($"The types begin at byte {types.Start.Value}, which is not aligned to 4.");
        }

        if (types.Start.Value < strings.End.Value && strings.Start.Value < types.End.Value)
        {
            throw new BtfFormatException($"The types, bytes {types}, and the strings, bytes {strings}, overlap.");
        }

        return new(order, types, strings);
    }

    private static Range Section(string name, uint offset, uint length, uint headerSize, int total)
    {
        ulong start = (ulong)headerSize + offset;
        return start + length <= (ulong)total
            ? new((int)start, (int)(start + length))
            : throw new BtfFormatException($"The {name} end at byte {start + length} of {total}.");
    }
}
