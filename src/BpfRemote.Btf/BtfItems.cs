namespace BpfRemote.Btf;

/// <summary>A member of a struct or a union.</summary>
/// <param name="Name">Empty for an anonymous struct or union, and for padding.</param>
/// <param name="TypeId">Its type.</param>
/// <param name="BitOffset">Where it begins, in bits from the beginning of the whole.</param>
/// <param name="BitfieldSize">Bits of a bitfield; 0 where it is none, or where an old compiler put that into the type.</param>
public readonly record struct BtfMember(string Name, uint TypeId, uint BitOffset, int BitfieldSize);

/// <summary>A named value of an enumeration.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">The value; where the enumeration is unsigned and of 64 bits, its bits.</param>
public readonly record struct BtfEnumerator(string Name, long Value);

/// <summary>A parameter of a function.</summary>
/// <param name="Name">Empty where the declaration gives none.</param>
/// <param name="TypeId">Its type.</param>
public readonly record struct BtfParameter(string Name, uint TypeId);

/// <summary>Where a variable lies in its section.</summary>
/// <param name="TypeId">The variable, of kind <see cref="BtfKind.Var"/>.</param>
/// <param name="Offset">Bytes from the beginning of the section.</param>
/// <param name="Size">Bytes that it takes.</param>
public readonly record struct BtfSectionVariable(uint TypeId, uint Offset, uint Size);
