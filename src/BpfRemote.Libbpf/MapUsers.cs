using System.Collections.Frozen;

namespace BpfRemote.Libbpf;

/// <summary>A loaded program.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name, at most 15 bytes.</param>
/// <param name="Type">Its type number (<c>enum bpf_prog_type</c>).</param>
public readonly record struct BpfProgram(uint Id, string Name, uint Type)
{
    /// <summary>Runs that the kernel left out since the program was loaded, because another one ran on the CPU or a map was being
    /// read there; 0 before Linux 5.12.</summary>
    public ulong RecursionMisses { get; init; }
}

/// <summary>A process that holds a file descriptor of a map.</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="Comm">Its command name.</param>
public readonly record struct OwnerProcess(uint Pid, string Comm);

/// <summary>The pinned maps of the node at one moment: absolute paths, ascending, by map id.</summary>
public sealed record PinnedMaps(FrozenDictionary<uint, IReadOnlyList<string>> ByMapId)
{
    /// <summary>Puts pins in order.</summary>
    public static PinnedMaps From(IEnumerable<(uint MapId, string Path)> pins) =>
        new(ByMap.Group(pins.OrderBy(pin => pin.Path, StringComparer.Ordinal)));

    /// <summary>The pins of one map; empty for none.</summary>
    public IReadOnlyList<string> Of(uint mapId) => ByMapId.GetValueOrDefault(mapId, []);
}

/// <summary>The processes that held maps at one moment, by map id and then by pid.</summary>
/// <param name="ByMapId">Owners of each map.</param>
/// <param name="Complete">False where some of /proc could not be read.</param>
public sealed record MapOwners(FrozenDictionary<uint, IReadOnlyList<OwnerProcess>> ByMapId, bool Complete)
{
    /// <summary>Puts owners in order.</summary>
    public static MapOwners From(IEnumerable<(uint MapId, OwnerProcess Owner)> owners, bool complete) =>
        new(ByMap.Group(owners.OrderBy(held => held.Owner.Pid)), complete);

    /// <summary>The owners of one map; empty for none.</summary>
    public IReadOnlyList<OwnerProcess> Of(uint mapId) => ByMapId.GetValueOrDefault(mapId, []);
}

/// <summary>The loaded programs that used maps at one moment, by map id and then by program id.</summary>
public sealed record MapPrograms(FrozenDictionary<uint, IReadOnlyList<BpfProgram>> ByMapId)
{
    /// <summary>Puts programs in order.</summary>
    public static MapPrograms From(IEnumerable<(uint MapId, BpfProgram Program)> uses) =>
        new(ByMap.Group(uses.OrderBy(use => use.Program.Id)));

    /// <summary>The programs that use one map; empty for none.</summary>
    public IReadOnlyList<BpfProgram> Of(uint mapId) => ByMapId.GetValueOrDefault(mapId, []);
}

/// <summary>Users of maps, grouped by map.</summary>
internal static class ByMap
{
    /// <param name="uses">In the order that each map's are to have.</param>
    internal static FrozenDictionary<uint, IReadOnlyList<T>> Group<T>(IEnumerable<(uint MapId, T Item)> uses) => uses
        .GroupBy(use => use.MapId, use => use.Item)
        .ToFrozenDictionary(group => group.Key, IReadOnlyList<T> (group) => [.. group]);
}
