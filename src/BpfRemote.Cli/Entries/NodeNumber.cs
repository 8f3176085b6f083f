using System.Buffers.Binary;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Bytes as one number, in the order of the node that they come from.</summary>
internal static class NodeNumber
{
    /// <summary>Whether bytes of which nothing is known may be a number.</summary>
    /// <param name="size">How many there are.</param>
    public static bool Fits(long size) => size is 1 or 2 or 4 or 8;

    /// <summary>Reads an unsigned number.</summary>
    /// <param name="bytes">At most 8.</param>
    /// <param name="order">The node's byte order.</param>
    public static ulong Read(ReadOnlySpan<byte> bytes, ByteOrder order)
    {
        Span<byte> wide = stackalloc byte[sizeof(ulong)];
        wide.Clear();
        bytes.CopyTo(order == ByteOrder.BigEndian ? wide[^bytes.Length..] : wide);
        return order == ByteOrder.BigEndian ? BinaryPrimitives.ReadUInt64BigEndian(wide) : BinaryPrimitives.ReadUInt64LittleEndian(wide);
    }

    /// <summary>Writes an unsigned number.</summary>
    /// <param name="bytes">At most 8; what of the number does not fit is lost.</param>
    /// <param name="number">The number.</param>
    /// <param name="order">The node's byte order.</param>
    public static void Write(Span<byte> bytes, ulong number, ByteOrder order)
    {
        Span<byte> wide = stackalloc byte[sizeof(ulong)];
        if (order == ByteOrder.BigEndian)
        {
            BinaryPrimitives.WriteUInt64BigEndian(wide, number);
            wide[^bytes.Length..].CopyTo(bytes);
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(wide, number);
            wide[..bytes.Length].CopyTo(bytes);
        }
    }
}
