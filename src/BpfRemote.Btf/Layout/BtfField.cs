namespace BpfRemote.Btf;

/// <summary>A part of a struct, a union or a section.</summary>
/// <param name="Name">Empty for an anonymous struct or union, and for padding.</param>
/// <param name="Layout">How its value lies in memory.</param>
/// <param name="Offset">Its first byte, from the beginning of the whole; of a bitfield, the byte that its first bit is in.</param>
/// <param name="BitOffset">
/// Of a bitfield, its first bit in that byte, 0 to 7: from the least significant bit on, on big-endian machines from the most.
/// </param>
/// <param name="BitSize">Bits of a bitfield; 0 where it is none.</param>
public sealed record BtfField(string Name, BtfValueLayout Layout, int Offset, int BitOffset, int BitSize);
