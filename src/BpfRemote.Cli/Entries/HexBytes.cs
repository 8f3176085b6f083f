using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Entries;

/// <summary>Writes bytes as hexadecimal text, by table, for dumps of millions of entries.</summary>
internal static class HexBytes
{
    // A byte as JSON, `"0x1f",`, is 7 characters: written as 8 with one to spare, of which the next byte begins with the last.
    private const int JsonWidth = 7;
    private const int ChunkBytes = 4096;

    private static readonly ulong[] Json = [.. Enumerable.Range(0, 256).Select(static value => Pack($"\"0x{value:x2}\","))];
    private static readonly ushort[] Pairs = [.. Enumerable.Range(0, 256).Select(static value => (ushort)Pack($"{value:x2}"))];

    /// <summary>Writes <c>"0x01","0x02"</c>.</summary>
    public static void WriteJson(OutputBuffer output, ReadOnlySpan<byte> bytes)
    {
        // Looked up once: each time would be a check whether the table is made already.
        ReadOnlySpan<ulong> json = Json;
        while (!bytes.IsEmpty)
        {
            ReadOnlySpan<byte> chunk = bytes[..Math.Min(bytes.Length, ChunkBytes)];
            bytes = bytes[chunk.Length..];
            Span<byte> room = output.Reserve((chunk.Length * JsonWidth) + 1);
            foreach (byte octet in chunk)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(room, json[octet]);
                room = room[JsonWidth..];
            }

            // The last byte of all has no comma after it.
            output.Advance((chunk.Length * JsonWidth) - (bytes.IsEmpty ? 1 : 0));
        }
    }

    /// <summary>Writes <c>0102</c>.</summary>
    public static void WritePlain(OutputBuffer output, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ushort> pairs = Pairs;
        while (!bytes.IsEmpty)
        {
            ReadOnlySpan<byte> chunk = bytes[..Math.Min(bytes.Length, ChunkBytes)];
            bytes = bytes[chunk.Length..];
            Span<ushort> room = MemoryMarshal.Cast<byte, ushort>(output.Reserve(chunk.Length * sizeof(ushort)));
            for (int i = 0; i < chunk.Length; i++)
            {
                room[i] = pairs[chunk[i]];
            }

            output.Advance(chunk.Length * sizeof(ushort));
        }
    }

    /// <summary>Writes <c>01 02</c>.</summary>
    public static void WriteSpaced(IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            Span<byte> room = output.GetSpan(3);
            room[0] = (byte)' ';
            BinaryPrimitives.WriteUInt16LittleEndian(room[(i == 0 ? 0 : 1)..], Pairs[bytes[i]]);
            output.Advance(i == 0 ? 2 : 3);
        }
    }

    private static ulong Pack(string text)
    {
        ulong packed = 0;
        for (int i = text.Length; i-- > 0;)
        {
            packed = (packed << 8) | text[i];
        }

        return packed;
    }
}
