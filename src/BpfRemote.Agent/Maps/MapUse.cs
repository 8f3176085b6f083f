using BpfRemote.Agent.Errors;
using BpfRemote.Libbpf;
using BpfRemote.V1;

namespace BpfRemote.Agent.Maps;

/// <summary>Who uses the maps of the node, at one moment: what view FULL adds to a description.</summary>
internal sealed record MapUse(PinnedMaps Pins, MapPrograms Programs, MapOwners Owners)
{
    /// <summary>Walks bpffs, the loaded programs and /proc.</summary>
    public static MapUse Read(IMapSource source, CancellationToken cancellationToken) => new(
        source.ReadPins(cancellationToken), source.ReadPrograms(cancellationToken), source.ReadOwners(cancellationToken));

    /// <summary>Adds to a map who uses it.</summary>
    public void AddTo(Map map)
    {
        map.PinnedPaths.AddRange(Pins.Of(map.Id));
        foreach (BpfProgram program in Programs.Of(map.Id))
        {
            map.Programs.Add(new ProgramReference
            {
                Id = program.Id,
                Name = program.Name,
                Type = BpfTypeNames.OfProgram(program.Type),
                RecursionMisses = program.RecursionMisses,
            });
        }

        foreach (Libbpf.OwnerProcess owner in Owners.Of(map.Id))
        {
            map.Owners.Add(new V1.OwnerProcess { Pid = owner.Pid, Comm = owner.Comm });
        }

        map.OwnersComplete = Owners.Complete;
    }

    /// <summary>Checks a view that a request asks for.</summary>
    public static void Validate(MapView view, List<FieldViolation> violations)
    {
        if (!Enum.IsDefined(view))
        {
            violations.Add(new("view", $"unknown view {(int)view}; expected MAP_VIEW_BASIC or MAP_VIEW_FULL"));
        }
    }
}
