using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Tokens;

/// <summary>What a continuation token holds: which map, how it was selected, how it is read, and where the scan stands.</summary>
internal readonly record struct ScanTicket
{
    /// <summary>Bytes left for a position beside a pin's digest.</summary>
    public const int MaxPosition = TokenSealer.MaxPayload - FixedSize - 1 - PinReference.DigestSize;

    private const int FixedSize = 16 + sizeof(ulong) + sizeof(uint) + ShapeSize + 1 + sizeof(uint) + sizeof(ulong) + sizeof(ushort);
    private const int ShapeSize = sizeof(ulong);

    /// <summary>The boot the map id belongs to.</summary>
    public required Guid BootId { get; init; }

    /// <summary>Names the scan over all its calls: audit lines carry it.</summary>
    public required ulong ScanId { get; init; }

    /// <summary>The map's id.</summary>
    public required uint MapId { get; init; }

    /// <summary>A digest of what the map looks like: an id alone could name another map after it wraps.</summary>
    public required ulong Shape { get; init; }

    /// <summary>How the scan walks the map.</summary>
    public required ScanMethod Method { get; init; }

    /// <summary>Restarts of the scan so far.</summary>
    public required uint Restarts { get; init; }

    /// <summary>Entries of the scan so far.</summary>
    public required ulong Entries { get; init; }

    /// <summary>Where the scan stands, as its method writes it.</summary>
    public required ReadOnlyMemory<byte> Position { get; init; }

    /// <summary>The pin that selected the map; empty where none did.</summary>
    public required PinReference Pin { get; init; }

    /// <summary>A name for a scan that begins.</summary>
    public static ulong NewScanId() => (ulong)Random.Shared.NextInt64(1, long.MaxValue);

    /// <summary>A digest of a map's type, sizes, flags, name and BTF ids.</summary>
    public static ulong ShapeOf(MapInfo info)
    {
        Span<byte> bytes = stackalloc byte[128];
        ReadOnlySpan<uint> numbers =
        [
            (uint)info.Type, info.KeySize, info.ValueSize, info.MaxEntries, info.Flags,
            info.BtfId, info.BtfKeyTypeId, info.BtfValueTypeId, info.BtfVmlinuxValueTypeId,
        ];
        int length = 0;
        foreach (uint number in numbers)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[length..], number);
            length += sizeof(uint);
        }

        length += Encoding.UTF8.GetBytes(info.Name, bytes[length..]);
        return BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(bytes[..length]));
    }

    /// <summary>Writes the ticket.</summary>
    /// <returns>The bytes written, at most <see cref="TokenSealer.MaxPayload"/>.</returns>
    public int Write(Span<byte> to)
    {
        Span<byte> rest = to;
        BootId.TryWriteBytes(rest);
        BinaryPrimitives.WriteUInt64LittleEndian(rest[16..], ScanId);
        rest = rest[24..];
        BinaryPrimitives.WriteUInt32LittleEndian(rest, MapId);
        BinaryPrimitives.WriteUInt64LittleEndian(rest[4..], Shape);
        rest[12] = (byte)Method;
        BinaryPrimitives.WriteUInt32LittleEndian(rest[13..], Restarts);
        BinaryPrimitives.WriteUInt64LittleEndian(rest[17..], Entries);
        BinaryPrimitives.WriteUInt16LittleEndian(rest[25..], (ushort)Position.Length);
        rest = rest[27..];
        Position.Span.CopyTo(rest);
        rest = rest[Position.Length..];
        rest = rest[Pin.Write(rest[..Math.Min(rest.Length, TokenSealer.MaxPayload - FixedSize - Position.Length)])..];
        return to.Length - rest.Length;
    }

    /// <summary>Reads a ticket that opened.</summary>
    /// <returns>Null where it is malformed: sealed by us, so by another build.</returns>
    public static ScanTicket? Read(ReadOnlySpan<byte> from)
    {
        if (from.Length < FixedSize)
        {
            return null;
        }

        ReadOnlySpan<byte> rest = from[24..];
        int positionLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[25..]);
        ReadOnlySpan<byte> tail = rest[27..];
        return positionLength > tail.Length || PinReference.Read(tail[positionLength..]) is not { } pin
            ? null
            : new ScanTicket
            {
                BootId = new Guid(from[..16]),
                ScanId = BinaryPrimitives.ReadUInt64LittleEndian(from[16..]),
                MapId = BinaryPrimitives.ReadUInt32LittleEndian(rest),
                Shape = BinaryPrimitives.ReadUInt64LittleEndian(rest[4..]),
                Method = (ScanMethod)rest[12],
                Restarts = BinaryPrimitives.ReadUInt32LittleEndian(rest[13..]),
                Entries = BinaryPrimitives.ReadUInt64LittleEndian(rest[17..]),
                Position = tail[..positionLength].ToArray(),
                Pin = pin,
            };
    }
}
