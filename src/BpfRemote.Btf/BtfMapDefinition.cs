namespace BpfRemote.Btf;

/// <summary>A map as a program's source defines it in the section <c>.maps</c>: what its keys and values are.</summary>
/// <param name="Name">The variable's name. The kernel keeps the first 15 bytes of it.</param>
/// <param name="KeyTypeId">The type of the keys, from <c>__type(key, T)</c>; null where only a size is given, or nothing.</param>
/// <param name="ValueTypeId">The same for the values.</param>
/// <param name="KeySize">Bytes of a key, from its type or from <c>__uint(key_size, N)</c>; null where neither says it.</param>
/// <param name="ValueSize">The same for the values.</param>
public sealed record BtfMapDefinition(string Name, uint? KeyTypeId, uint? ValueTypeId, uint? KeySize, uint? ValueSize)
{
    private const string SectionName = ".maps";

    /// <summary>All maps that a program's own types define, in their order; none where there is no section <c>.maps</c>.</summary>
    /// <exception cref="BtfFormatException">
    /// The section holds something else than structs, or a member is not what the macros make.
    /// </exception>
    public static IReadOnlyList<BtfMapDefinition> ReadAll(BtfTypes types)
    {
        ArgumentNullException.ThrowIfNull(types);
        return types.Find(BtfKind.DataSec, SectionName) is { } section
            ? [.. Enumerable.Range(0, section.ItemCount).Select(i => Read(types, types[section.Variable(i).TypeId]))]
            : [];
    }

    private static BtfMapDefinition Read(BtfTypes types, BtfType variable)
    {
        if (variable.Kind != BtfKind.Var)
        {
            throw new BtfFormatException($"Type {variable.Id} in {SectionName} is of kind {variable.Kind}, not a variable.");
        }

        BtfType definition = types.Underlying(variable.ReferredTypeId);
        if (definition.Kind != BtfKind.Struct)
        {
            throw new BtfFormatException($"The map {variable.Name} is defined by a type of kind {definition.Kind}, not by a struct.");
        }

        BtfMapDefinition map = new(variable.Name, KeyTypeId: null, ValueTypeId: null, KeySize: null, ValueSize: null);
        for (int i = 0; i < definition.ItemCount; i++)
        {
            BtfMember member = definition.Member(i);
            map = member.Name switch
            {
                "key" when Pointed(types, map, member) is var id => map with { KeyTypeId = id, KeySize = types.SizeOf(id) },
                "value" when Pointed(types, map, member) is var id => map with { ValueTypeId = id, ValueSize = types.SizeOf(id) },
                "key_size" => map with { KeySize = Number(types, map, member) },
                "value_size" => map with { ValueSize = Number(types, map, member) },
                _ => map,
            };
        }

        return map;
    }

    // #define __type(name, val) typeof(val) *name
    private static uint Pointed(BtfTypes types, BtfMapDefinition map, BtfMember member)
    {
        BtfType pointer = types.Underlying(member.TypeId);
        return pointer.Kind == BtfKind.Ptr
            ? pointer.ReferredTypeId
            : throw new BtfFormatException(
                $"The {member.Name} of the map {map.Name} is of kind {pointer.Kind}, not a pointer to its type.");
    }

    // #define __uint(name, val) int (*name)[val]
    private static uint Number(BtfTypes types, BtfMapDefinition map, BtfMember member)
    {
        BtfType array = types.Underlying(Pointed(types, map, member));
        return array.Kind == BtfKind.Array
            ? array.ElementCount
            : throw new BtfFormatException($"The {member.Name} of the map {map.Name} points at a {array.Kind}, not at an array.");
    }
}
