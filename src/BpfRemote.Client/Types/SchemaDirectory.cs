using System.Text.Json;
using System.Text.Json.Serialization;
using BpfRemote.Agent.Maps;
using BpfRemote.Btf;
using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>
/// Types for maps whose programs were loaded without: a directory of object files (<c>*.o</c>) and raw BTF (<c>*.btf</c>). Immutable.
/// </summary>
/// <remarks>
/// A map is found by the definitions in the section <c>.maps</c> of these files, by name and the sizes of keys and values. What is not
/// defined so, or goes by its pin, is said in a file <c>schemas.json</c> beside them, an array whose first element that fits counts:
/// <c>[{ "pinnedPath": "/sys/fs/bpf/edge/*", "name": "conn*", "file": "edge.o", "keyType": "struct conn", "valueType": "struct stats" }]</c>,
/// where <c>pinnedPath</c> and <c>name</c> are globs (at least one of them) and <c>keyType</c> may be missing.
/// </remarks>
public sealed partial class SchemaDirectory
{
    private const string IndexName = "schemas.json";

    private readonly List<Rule> _rules = [];
    private readonly List<(BtfTypes Types, BtfMapDefinition Map)> _definitions = [];

    private SchemaDirectory()
    {
    }

    /// <summary>Reads a directory.</summary>
    /// <param name="path">The directory.</param>
    /// <returns>What is in it.</returns>
    /// <exception cref="SchemaException">A file is not what it should be; the message names it and says what was expected.</exception>
    public static SchemaDirectory Load(string path)
    {
        SchemaDirectory directory = new();
        Dictionary<string, BtfTypes> files = [];
        try
        {
            foreach (string file in Directory.EnumerateFiles(path).Order(StringComparer.Ordinal).Where(IsTypes))
            {
                BtfTypes types = MapSchema.ReadTypes(file);
                files.Add(Path.GetFileName(file), types);
                directory._definitions.AddRange(MapSchema.ReadDefinitions(file, types).Select(map => (types, map)));
            }

            string index = Path.Combine(path, IndexName);
            if (File.Exists(index))
            {
                directory.AddRules(index, files);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SchemaException($"Cannot read the schema directory {path}: {e.Message}", e);
        }

        return directory;
    }

    /// <summary>Finds what the entries of a map are.</summary>
    /// <param name="map">The map; its pinned paths count where they are known.</param>
    /// <param name="pinnedPath">A path that it was selected by; <see langword="null"/> where it was not.</param>
    /// <returns>The schema; <see langword="null"/> where there is none for it.</returns>
    /// <exception cref="SchemaException">There is one that does not fit the map.</exception>
    public MapSchema? Find(Map map, string? pinnedPath = null)
    {
        string[] pins = [.. map.PinnedPaths, .. pinnedPath is null ? [] : new[] { pinnedPath }];
        if (_rules.Find(rule => rule.Fits(map, pins)) is { } found)
        {
            return MapSchema.Create(map, found.Types, found.KeyType, found.ValueType);
        }

        (BtfTypes Types, BtfMapDefinition Map) definition = _definitions.Find(candidate => MapSchema.IsOf(map, candidate.Map));
        return definition.Map is null ? null : MapSchema.Create(map, definition.Types, definition.Map);
    }

    private static bool IsTypes(string file) => Path.GetExtension(file) is ".o" or ".btf";

    private void AddRules(string index, Dictionary<string, BtfTypes> files)
    {
        IndexEntry[] entries;
        try
        {
            entries = JsonSerializer.Deserialize(File.ReadAllBytes(index), IndexJson.Default.IndexEntryArray) ?? [];
        }
        catch (JsonException e)
        {
            throw new SchemaException($"{index}: {e.Message}", e);
        }

        for (int i = 0; i < entries.Length; i++)
        {
            IndexEntry entry = entries[i];
            string where = $"{index}, element {i + 1}";
            if (entry.PinnedPath is null && entry.Name is null)
            {
                throw new SchemaException($"{where}: expected pinnedPath, name, or both, to say which maps it is for.");
            }

            if (!files.TryGetValue(entry.File, out BtfTypes? types))
            {
                throw new SchemaException(
                    $"{where}: there is no file {entry.File}; expected one of {(files.Count == 0 ? "*.o and *.btf beside it" : string.Join(", ", files.Keys))}.");
            }

            _rules.Add(new(
                ParseGlob(where, entry.PinnedPath, isPath: true), ParseGlob(where, entry.Name, isPath: false),
                types, entry.KeyType, entry.ValueType));
        }
    }

    private static Glob? ParseGlob(string where, string? pattern, bool isPath) => pattern is null
        ? null
        : Glob.TryParse(pattern, isPath, out string error) ?? throw new SchemaException($"{where}: '{pattern}' is no glob: {error}.");

    private sealed record Rule(Glob? PinnedPath, Glob? Name, BtfTypes Types, string? KeyType, string ValueType)
    {
        public bool Fits(Map map, string[] pins) =>
            (Name is null || Name.Fits(map.Name)) && (PinnedPath is null || pins.Any(PinnedPath.Fits));
    }

    private sealed record IndexEntry
    {
        public string? PinnedPath { get; init; }

        public string? Name { get; init; }

        public required string File { get; init; }

        public string? KeyType { get; init; }

        public required string ValueType { get; init; }
    }

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        ReadCommentHandling = JsonCommentHandling.Skip)]
    [JsonSerializable(typeof(IndexEntry[]))]
    private sealed partial class IndexJson : JsonSerializerContext;
}
