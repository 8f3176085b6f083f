using System.Buffers.Binary;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Reads bytes as one number, in the order of the node that they come from.</summary>
internal static class NodeNumber
{
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
}
