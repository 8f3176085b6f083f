using BpfRemote.Btf;
using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>What the keys and values of a map are.</summary>
/// <example><code>ulong packets = schema.Value.Read(entry.Value)["packets"].ReadUInt64();</code></example>
public sealed class MapSchema
{
    // BPF_OBJ_NAME_LEN without the terminating zero.
    private const int MaxNameLength = 15;

    private MapSchema(BtfValueLayout? key, BtfValueLayout value)
    {
        Key = key;
        Value = value;
    }

    /// <summary>How a key lies in memory; <see langword="null"/> where only values have a type, as in <c>.bss</c> and <c>.rodata</c>.</summary>
    public BtfValueLayout? Key { get; }

    /// <summary>How a value lies in memory; of a per-CPU map, that of one CPU.</summary>
    public BtfValueLayout Value { get; }

    /// <summary>The schema of a map by the ids of its types.</summary>
    /// <param name="map">The map.</param>
    /// <param name="types">Where its types are.</param>
    /// <param name="keyTypeId">The type of its keys; 0 for none.</param>
    /// <param name="valueTypeId">The type of its values.</param>
    /// <returns>The schema.</returns>
    /// <exception cref="BtfFormatException">There are no such types, they have no values, or are not of the map's sizes.</exception>
    public static MapSchema Create(Map map, BtfTypes types, uint keyTypeId, uint valueTypeId)
    {
        BtfValueLayout? key = keyTypeId == 0 ? null : Fit("key", types.Layout(keyTypeId), map.KeySize);
        return new(key, Fit("value", types.Layout(valueTypeId), map.ValueSize));
    }

    /// <summary>The schema of a map by the names of its types.</summary>
    /// <param name="map">The map.</param>
    /// <param name="types">Where its types are.</param>
    /// <param name="keyType">The type of its keys as C writes it, such as <c>struct conn_key</c>; <see langword="null"/> for none.</param>
    /// <param name="valueType">The type of its values.</param>
    /// <returns>The schema.</returns>
    /// <exception cref="SchemaException">There are no such types, or they do not fit the map; the message says what was expected.</exception>
    public static MapSchema Create(Map map, BtfTypes types, string? keyType, string valueType)
    {
        try
        {
            return Create(map, types, keyType is null ? 0 : types.FindType(keyType).Id, types.FindType(valueType).Id);
        }
        catch (Exception e) when (e is BtfTextException or BtfFormatException)
        {
            throw new SchemaException($"Map {map.Id} ({map.Name}): {e.Message}", e);
        }
    }

    /// <summary>The schema of a map by its definition in the program's source, in the file that the program was compiled to.</summary>
    /// <param name="map">The map.</param>
    /// <param name="path">An object file with BTF, or raw BTF.</param>
    /// <returns>The schema.</returns>
    /// <exception cref="SchemaException">The file has no definition of the map; the message says which it has.</exception>
    public static MapSchema FromFile(Map map, string path)
    {
        BtfTypes types = ReadTypes(path);
        IReadOnlyList<BtfMapDefinition> definitions = ReadDefinitions(path, types);
        return definitions.FirstOrDefault(definition => IsOf(map, definition)) is { } found
            ? Create(map, types, found)
            : throw new SchemaException(
                $"{path} does not define a map {map.Name} with keys of {map.KeySize} bytes and values of {map.ValueSize}"
                + (definitions.Count == 0 ? "" : $"; it defines {string.Join(", ", definitions.Select(Describe))}"));
    }

    /// <summary>Reads the types of a file.</summary>
    /// <param name="path">An ELF file with a section <c>.BTF</c>, such as an object file of clang's, or raw BTF.</param>
    /// <returns>The types.</returns>
    /// <exception cref="SchemaException">The file cannot be read or has no types.</exception>
    public static BtfTypes ReadTypes(string path)
    {
        try
        {
            return BtfTypes.ParseFile(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is BtfFormatException or IOException or UnauthorizedAccessException)
        {
            throw new SchemaException($"Cannot read types from {path}: {e.Message}", e);
        }
    }

    internal static IReadOnlyList<BtfMapDefinition> ReadDefinitions(string path, BtfTypes types)
    {
        try
        {
            return BtfMapDefinition.ReadAll(types);
        }
        catch (BtfFormatException e)
        {
            throw new SchemaException($"Cannot read the maps that {path} defines: {e.Message}", e);
        }
    }

    internal static bool IsOf(Map map, BtfMapDefinition definition) =>
        definition.ValueTypeId is not null
        && definition.KeySize == map.KeySize
        && definition.ValueSize == map.ValueSize
        && definition.Name[..Math.Min(definition.Name.Length, MaxNameLength)] == map.Name;

    internal static MapSchema Create(Map map, BtfTypes types, BtfMapDefinition definition)
    {
        try
        {
            return Create(map, types, definition.KeyTypeId ?? 0, definition.ValueTypeId ?? 0);
        }
        catch (BtfFormatException e)
        {
            throw new SchemaException($"Map {map.Id} ({map.Name}): {e.Message}", e);
        }
    }

    private static string Describe(BtfMapDefinition definition) =>
        $"{definition.Name} ({definition.KeySize?.ToString() ?? "?"}, {definition.ValueSize?.ToString() ?? "?"})";

    // The kernel holds a map's own types to this. A smaller type would also put the values of all CPUs but the first in wrong places.
    private static BtfValueLayout Fit(string what, BtfValueLayout layout, uint size) => layout.Size == size
        ? layout
        : throw new BtfFormatException($"The map's {what}s have {size} bytes, and {layout.TypeName} takes {layout.Size}.");
}
