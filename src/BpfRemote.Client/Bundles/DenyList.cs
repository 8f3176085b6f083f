using BpfRemote.Agent.Maps;
using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>Names of maps whose entries stay out of a bundle.</summary>
internal sealed class DenyList
{
    private readonly List<(string Pattern, Glob Glob)> _globs = [];

    /// <exception cref="ArgumentException">A pattern is no glob.</exception>
    public DenyList(IEnumerable<string> patterns)
    {
        foreach (string pattern in patterns)
        {
            Glob glob = Glob.TryParse(pattern.ToLowerInvariant(), isPath: false, out string error)
                ?? throw new ArgumentException($"'{pattern}' is no glob of names: {error}.");
            _globs.Add((pattern, glob));
        }
    }

    /// <summary>The pattern that keeps a map out; <see langword="null"/> where none does.</summary>
    /// <param name="map">The map in view FULL: its pins are names too, and longer ones than the kernel keeps.</param>
    public string? Find(Map map)
    {
        string[] names = [.. map.PinnedPaths.Select(static path => path[(path.LastIndexOf('/') + 1)..]).Append(map.Name)
            .Select(static name => name.ToLowerInvariant())];
        return _globs.FirstOrDefault(deny => names.Any(deny.Glob.Fits)).Pattern;
    }
}
