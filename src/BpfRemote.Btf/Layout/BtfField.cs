namespace BpfRemote.Btf;

/// <summary>A part of a struct, a union or a section.</summary>
/// <param name="Name">
/// Empty for an anonymous struct or union, and for padding; dotted, such as <c>key.saddr</c>, for what is nested deeper.
/// </param>
/// <param name="Layout">How its value lies in memory.</param>
/// <param name="Offset">Its first byte, from the beginning of the whole; of a bitfield, the byte that its first bit is in.</param>
/// <param name="BitOffset">
/// Of a bitfield, its first bit in that byte, 0 to 7: from the least significant bit on, on big-endian machines from the most.
/// </param>
/// <param name="BitSize">Bits of a bitfield; 0 where it is none.</param>
public sealed record BtfField(string Name, BtfValueLayout Layout, int Offset, int BitOffset, int BitSize)
{
    /// <summary>The byte behind the last one that it is in.</summary>
    internal int End => Offset + (BitSize != 0 ? (BitOffset + BitSize + 7) / 8 : Layout.Size);

    /// <summary>How many bits it has.</summary>
    internal int Width => BitSize != 0 ? BitSize : Layout.Size * 8;

    private int FirstBit => (Offset * 8) + BitOffset;

    /// <summary>Whether it has neither a name nor fields.</summary>
    internal bool IsPadding => Name.Length == 0 && Layout.Fields.Count == 0;

    /// <summary>Whether the two have a bit in common.</summary>
    internal bool Overlaps(BtfField other) => FirstBit < other.FirstBit + other.Width && other.FirstBit < FirstBit + Width;

    /// <summary>The same field, seen from what its whole is itself a field of.</summary>
    internal BtfField Within(BtfField whole) => this with
    {
        Name = (whole.Name, Name) switch
        {
            ("", _) => Name,
            (_, "") => whole.Name,
            _ => $"{whole.Name}.{Name}",
        },
        Offset = whole.Offset + Offset,
    };

    /// <summary>A whole value as if it were a field.</summary>
    internal static BtfField Whole(BtfValueLayout layout, string name = "") =>
        new(name, layout, layout.BitOffset / 8, layout.BitOffset % 8, layout.BitSize);

    /// <summary>An element of an array, under the name of the array.</summary>
    internal BtfField Element(int index)
    {
        BtfField element = Whole(Layout.Element!, Name);
        return element with { Offset = Offset + (index * element.Layout.Size) + element.Offset };
    }
}
