using System.Collections.Frozen;

namespace BpfRemote.Libbpf;

/// <summary>A loaded program.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name, at most 15 bytes.</param>
/// <param name="Type">Its type number (<c>enum bpf_prog_type</c>).</param>
public readonly record struct BpfProgram(uint Id, string Name, uint Type);

/// <summary>A process that holds a file descriptor of a map.</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="Comm">Its command name.</param>
public readonly record struct OwnerProcess(uint Pid, string Comm);

/// <summary>The pinned maps of the node at one moment: absolute paths, ascending, by map id.</summary>
public sealed record PinnedMaps(FrozenDictionary<uint, IReadOnlyList<string>> ByMapId)
{
    /// <summary>The pins of one map; empty for none.</summary>
    public IReadOnlyList<string> Of(uint mapId) => ByMapId.GetValueOrDefault(mapId, []);
}

/// <summary>The processes that held maps at one moment, by map id and then by pid.</summary>
/// <param name="ByMapId">Owners of each map.</param>
/// <param name="Complete">False where some of /proc could not be read.</param>
public sealed record MapOwners(FrozenDictionary<uint, IReadOnlyList<OwnerProcess>> ByMapId, bool Complete)
{
    /// <summary>The owners of one map; empty for none.</summary>
    public IReadOnlyList<OwnerProcess> Of(uint mapId) => ByMapId.GetValueOrDefault(mapId, []);
}

/// <summary>The loaded programs that used maps at one moment, by map id and then by program id.</summary>
public sealed record MapPrograms(FrozenDictionary<uint, IReadOnlyList<BpfProgram>> ByMapId)
{
    /// <summary>The programs that use one map; empty for none.</summary>
    public IReadOnlyList<BpfProgram> Of(uint mapId) => ByMapId.GetValueOrDefault(mapId, []);
}
