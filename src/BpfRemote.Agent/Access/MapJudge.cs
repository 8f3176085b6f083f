using BpfRemote.Agent.Access.Policy;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Access;

/// <summary>Judges what the rules that apply to one caller let it do with maps, each judged as it was opened.</summary>
/// <param name="rules">The rules that apply to the caller.</param>
/// <param name="readPins">Walks bpffs. Called at most once, and only where a rule depends on pins that are not known.</param>
internal sealed class MapJudge(IReadOnlyList<AccessRule> rules, Func<PinnedMaps> readPins)
{
    private PinnedMaps? _pins;

    /// <summary>The rule that gives a right to a map.</summary>
    /// <param name="right">One right.</param>
    /// <param name="map">The map, as it was opened.</param>
    /// <param name="pin">A pin that it was opened through; null for none.</param>
    /// <returns>Null where none does.</returns>
    public AccessRule? RuleFor(MapRights right, MapInfo map, string? pin)
    {
        string[] known = pin is null ? [] : [pin];
        return rules.FirstOrDefault(rule => rule.Gives(right, map, known))
            ?? (rules.Any(rule => rule.DependsOnPins(right, map))
                ? rules.FirstOrDefault(rule => rule.Gives(right, map, PinsOf(map)))
                : null);
    }

    private IReadOnlyCollection<string> PinsOf(MapInfo map) => [.. (_pins ??= readPins()).Of(map.Id)];
}
