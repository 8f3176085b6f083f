using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Access.Policy;

/// <summary>One rule: its subjects have its rights to its maps.</summary>
/// <param name="Name">What audit lines call it.</param>
/// <param name="Subjects">To whom it applies.</param>
/// <param name="Rights">What it gives.</param>
/// <param name="Maps">To which maps it applies.</param>
internal sealed record AccessRule(string Name, Subjects Subjects, MapRights Rights, IReadOnlyList<MapPattern> Maps)
{
    /// <summary>Whether the rule gives a right to a map that is known to be pinned at some paths.</summary>
    public bool Gives(MapRights right, MapInfo map, IReadOnlyCollection<string> pins) =>
        Rights.HasFlag(right)
        && Maps.Any(pattern => pattern.Fits(map) && (!pattern.IsByPin || pins.Any(pattern.FitsPin)));

    /// <summary>Whether the rule might give a right to a map, depending on where it is pinned.</summary>
    public bool DependsOnPins(MapRights right, MapInfo map) =>
        Rights.HasFlag(right) && Maps.Any(pattern => pattern.IsByPin && pattern.Fits(map));
}
