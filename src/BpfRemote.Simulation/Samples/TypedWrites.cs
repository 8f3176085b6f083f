using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Samples;

/// <summary>Writes to maps in terms of the structs that their programs would share. Samples fit their maps: an error is thrown.</summary>
internal static class TypedWrites
{
    public static void Set<TKey, TValue>(this SimulatedMap map, TKey key, TValue value)
        where TKey : unmanaged
        where TValue : unmanaged
        => Require(map.Update(Bytes(in key), Bytes(in value)), map);

    /// <summary>Sets a per-CPU value, one item for each possible CPU.</summary>
    public static void SetPerCpu<TKey>(this SimulatedMap map, TKey key, ReadOnlySpan<ulong> values)
        where TKey : unmanaged
        => Require(map.Update(Bytes(in key), MemoryMarshal.AsBytes(values)), map);

    public static void Push<TValue>(this SimulatedMap map, TValue value)
        where TValue : unmanaged
        => Require(map.Update([], Bytes(in value)), map);

    public static void Remove<TKey>(this SimulatedMap map, TKey key)
        where TKey : unmanaged
        => Require(map.Delete(Bytes(in key)), map);

    private static ReadOnlySpan<byte> Bytes<T>(in T item)
        where T : unmanaged
        => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in item));

    private static void Require(Errno error, SimulatedMap map)
    {
        if (error != Errno.None)
        {
            throw new BpfException("bpf_map_update_elem", error, $"map {map.Id} {map.Info.Name}");
        }
    }
}
