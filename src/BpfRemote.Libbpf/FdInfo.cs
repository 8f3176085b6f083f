using System.Buffers.Text;

namespace BpfRemote.Libbpf;

/// <summary>What fdinfo of a file descriptor says of a map: lines of <c>name:\tvalue</c>.</summary>
internal readonly record struct FdInfo
{
    /// <summary>More than the kernel prints for a map or a program.</summary>
    internal const int MaxLength = 4096;

    /// <summary>Null where the file descriptor is not of a map.</summary>
    internal uint? MapId { get; init; }

    internal ulong MemlockBytes { get; init; }
    internal bool Frozen { get; init; }
    internal uint? OwnerProgType { get; init; }
    internal bool OwnerJited { get; init; }

    /// <param name="path">A file in /proc/PID/fdinfo.</param>
    internal static FdInfo Read(string path)
    {
        Span<byte> buffer = stackalloc byte[MaxLength];
        return Parse(ProcFile.Read(path, buffer));
    }

    internal static FdInfo Parse(ReadOnlySpan<byte> text)
    {
        FdInfo info = default;
        foreach (Range range in text.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = text[range];
            int colon = line.IndexOf((byte)':');
            if (colon < 0
                || !Utf8Parser.TryParse(line[(colon + 1)..].TrimStart((byte)'\t'), out ulong value, out _))
            {
                continue;
            }

            ReadOnlySpan<byte> name = line[..colon];
            info = name.SequenceEqual("map_id"u8) ? info with { MapId = (uint)value }
                : name.SequenceEqual("memlock"u8) ? info with { MemlockBytes = value }
                : name.SequenceEqual("frozen"u8) ? info with { Frozen = value != 0 }
                : name.SequenceEqual("owner_prog_type"u8) ? info with { OwnerProgType = (uint)value }
                : name.SequenceEqual("owner_jited"u8) ? info with { OwnerJited = value != 0 }
                : info;
        }

        return info;
    }
}
