using BpfRemote.Btf;
using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>What the keys and values of a map are.</summary>
/// <example><code>ulong packets = schema.Value.Read(entry.Value)["packets"].ReadUInt64();</code></example>
public sealed class MapSchema
{
    private MapSchema(BtfValueLayout? key, BtfValueLayout value)
    {
        Key = key;
        Value = value;
    }

    /// <summary>How a key lies in memory; <see langword="null"/> where only values have a type, as in <c>.bss</c> and <c>.rodata</c>.</summary>
    public BtfValueLayout? Key { get; }

    /// <summary>How a value lies in memory; of a per-CPU map, that of one CPU.</summary>
    public BtfValueLayout Value { get; }

    /// <summary>The schema of a map whose types are known.</summary>
    /// <param name="map">The map.</param>
    /// <param name="types">Where its types are.</param>
    /// <param name="keyTypeId">The type of its keys; 0 for none.</param>
    /// <param name="valueTypeId">The type of its values.</param>
    /// <returns>The schema.</returns>
    /// <exception cref="BtfFormatException">There are no such types, they have no values, or are larger than the map's.</exception>
    public static MapSchema Create(Map map, BtfTypes types, uint keyTypeId, uint valueTypeId)
    {
        BtfValueLayout? key = keyTypeId == 0 ? null : Fit("key", types.Layout(keyTypeId), map.KeySize);
        return new(key, Fit("value", types.Layout(valueTypeId), map.ValueSize));
    }

    // Smaller is usual: a program's sections are padded.
    private static BtfValueLayout Fit(string what, BtfValueLayout layout, uint size) => layout.Size <= size
        ? layout
        : throw new BtfFormatException($"The map's {what}s have {size} bytes, and {layout.TypeName} takes {layout.Size}.");
}
