using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>Ways to select a map.</summary>
public static class MapSelectors
{
    /// <summary>The map with an id.</summary>
    /// <param name="id">The id, above 0. Ids are good for one boot of the node.</param>
    /// <returns>The selector.</returns>
    public static MapSelector ById(uint id) => new() { Id = id };

    /// <summary>The map with a name; several with that name are refused as <see cref="ErrorReason.MapNameAmbiguous"/>.</summary>
    /// <param name="name">The name as the kernel keeps it, at most 15 bytes. Anybody who may create maps can take it.</param>
    /// <returns>The selector.</returns>
    public static MapSelector ByName(string name) => new() { Name = name };

    /// <summary>The map that is pinned at a path.</summary>
    /// <param name="path">The absolute path on a bpffs of the node.</param>
    /// <returns>The selector.</returns>
    public static MapSelector ByPinnedPath(string path) => new() { PinnedPath = path };
}
