using BpfRemote.Agent.Maps;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Access.Policy;

/// <summary>Some maps, as a rule selects them: by pin, name and type, all of which must fit where they are given.</summary>
/// <param name="PinnedPath">Fits a path where the map is pinned.</param>
/// <param name="Name">Fits the map's name.</param>
/// <param name="Types">Of these types.</param>
internal sealed record MapPattern(Glob? PinnedPath, Glob? Name, IReadOnlySet<BpfMapType>? Types)
{
    private const int MaxNameBytes = 15;

    /// <summary>Every map there is.</summary>
    public static readonly MapPattern Every = new(null, null, null);

    /// <summary>Whether the maps are told by their pins: others than root cannot put theirs there.</summary>
    public bool IsByPin => PinnedPath is not null;

    /// <summary>Whether the maps are told by their name alone, which whoever may create maps can give to another one.</summary>
    public bool IsByName => PinnedPath is null && Name?.Fits("") == false;

    /// <summary>Whether a map fits but for its pins.</summary>
    public bool Fits(MapInfo map) => Name?.Fits(map.Name) != false && Types?.Contains(map.Type) != false;

    /// <summary>Whether a pin fits.</summary>
    public bool FitsPin(string path) => PinnedPath?.Fits(path) != false;

    /// <summary>Parses a selector of a policy file.</summary>
    /// <param name="document">As in the file.</param>
    /// <param name="path">Where it is in the file.</param>
    /// <param name="violations">Where everything wrong goes, by its path.</param>
    public static MapPattern Parse(MapDocument? document, string path, List<(string Path, string Text)> violations)
    {
        if (document is null or { PinnedPath: null, Name: null, Types: null })
        {
            violations.Add((path, "selects nothing; expected pinnedPath, name or types"));
            return Every;
        }

        Glob? pin = ParseGlob(document.PinnedPath, isPath: true, $"{path}.pinnedPath", violations);
        if (document.PinnedPath is { } pinnedPath && !pinnedPath.StartsWith('/') && !pinnedPath.StartsWith("**", StringComparison.Ordinal))
        {
            violations.Add(($"{path}.pinnedPath", $"'{pinnedPath}' fits no pin; expected an absolute path"));
        }

        Glob? name = ParseGlob(document.Name, isPath: false, $"{path}.name", violations);
        if (name?.MinBytes > MaxNameBytes)
        {
            violations.Add((
                $"{path}.name",
                $"'{document.Name}' fits no map: the kernel keeps {MaxNameBytes} bytes of a name, and this takes {name.MinBytes}"));
        }

        return new(pin, name, ParseTypes(document.Types, $"{path}.types", violations));
    }

    private static Glob? ParseGlob(string? pattern, bool isPath, string path, List<(string Path, string Text)> violations)
    {
        if (pattern is null)
        {
            return null;
        }

        Glob? glob = Glob.TryParse(pattern, isPath, out string error);
        if (glob is null)
        {
            violations.Add((path, error));
        }

        return glob;
    }

    private static HashSet<BpfMapType>? ParseTypes(IReadOnlyList<string>? names, string path, List<(string Path, string Text)> violations)
    {
        if (names is null)
        {
            return null;
        }

        if (names.Count == 0)
        {
            violations.Add((path, "is empty; expected types, or none of it for all"));
        }

        HashSet<BpfMapType> types = [];
        for (int i = 0; i < names.Count; i++)
        {
            if (BpfTypeNames.TryParseMap(names[i] ?? "") is { } type)
            {
                types.Add(type);
            }
            else
            {
                violations.Add(($"{path}[{i}]", $"'{names[i]}' is no map type; expected one as `map list` names it, such as lru_hash"));
            }
        }

        return types;
    }
}
