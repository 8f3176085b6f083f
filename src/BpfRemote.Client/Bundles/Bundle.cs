using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.Client;

/// <summary>
/// A bundle: one file with a node, its maps, who uses them, their types, and the entries of some, for reading elsewhere and later.
/// Immutable; threads may share it. <see cref="BpfRemoteClient.Connect"/> gives a client that reads one, at the address <c>file:PATH</c>.
/// </summary>
/// <remarks>
/// A ZIP file with <c>bundle.json</c> (<see cref="BundleManifest"/>), <c>node.json</c> and <c>maps/ID.json</c> (the messages Node and
/// Map as JSON), <c>btf/SHA256.btf</c> (raw BTF) and <c>entries/ID.pb</c> (LookupBatchResponse messages without tokens, each after its
/// length as a varint). Nothing in a bundle is trusted: sizes are limited, and what is held in memory is the descriptions and one batch.
/// </remarks>
public sealed class Bundle
{
    private const int MaxFiles = 200_000;
    private const long MaxDescriptionBytes = 64 << 20;

    private readonly Dictionary<uint, BundleMap> _contents;

    private Bundle(string path, string id, BundleManifest manifest, Node node, SortedList<uint, Map> maps)
    {
        Path = path;
        Id = id;
        Manifest = manifest;
        Node = node;
        MapsById = maps;
        _contents = manifest.Maps.ToDictionary(static map => map.Id);
    }

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>What the bundle says of itself.</summary>
    public BundleManifest Manifest { get; }

    /// <summary>The node, without the caller's principal.</summary>
    public Node Node { get; }

    /// <summary>The node's maps in view FULL, by id.</summary>
    public IReadOnlyList<Map> Maps => MapsById.Values.AsReadOnly();

    /// <summary>What tells this bundle from others.</summary>
    internal string Id { get; }

    internal SortedList<uint, Map> MapsById { get; }

    /// <summary>Makes a bundle of what an agent serves. The file is complete when it appears, and never appears otherwise.</summary>
    /// <param name="client">The agent's client.</param>
    /// <param name="path">The file, which is replaced where it exists; only its owner may read it.</param>
    /// <param name="options">What to put in; <see langword="null"/> for everything but what smells of secrets.</param>
    /// <param name="cancellationToken">Ends the work; nothing is left behind.</param>
    /// <returns>What the bundle holds. Maps that could not be read, or not to their end, say why and fail nothing else.</returns>
    /// <exception cref="ArgumentException">A pattern of the deny list is no glob.</exception>
    /// <exception cref="AgentUnreachableException">No agent answers, or none does any more.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static async Task<BundleManifest> CreateAsync(
        BpfRemoteClient client, string path, BundleOptions? options = null, CancellationToken cancellationToken = default)
    {
        string unfinished = $"{path}.{System.IO.Path.GetRandomFileName()}";
        try
        {
            BundleManifest manifest;
            ZipArchive zip = new(CreatePrivate(unfinished), ZipArchiveMode.Create);
            await using (zip.ConfigureAwait(false))
            {
                manifest = await new BundleWriter(client, zip, options ?? new()).WriteAsync(cancellationToken).ConfigureAwait(false);
            }

            File.Move(unfinished, path, overwrite: true);
            return manifest;
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }

    /// <summary>Opens a bundle and reads all but entries and types.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The bundle.</returns>
    /// <exception cref="BundleFormatException">It is no bundle; the message says why.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Bundle Open(string path)
    {
        using ZipArchive archive = BundleFile.OpenArchive(path);
        CheckNames(archive);
        long left = MaxDescriptionBytes;
        byte[] manifestJson = Take(BundleLayout.Manifest);
        BundleManifest manifest = ReadManifest(manifestJson);
        Node node = ReadMessage<Node>(BundleLayout.Node, Take(BundleLayout.Node));
        node.Principal = "bundle";
        SortedList<uint, Map> maps = new(manifest.Maps.Count);
        foreach (uint id in manifest.Maps.Select(static map => map.Id))
        {
            string name = BundleLayout.Map(id);
            Map map = ReadMessage<Map>(name, Take(name));
            if (map.Id != id || !maps.TryAdd(id, map))
            {
                throw new BundleFormatException(
                    $"{name} of the bundle describes map {map.Id}, or {BundleLayout.Manifest} names map {id} twice.");
            }
        }

        return new(path, Convert.ToHexStringLower(SHA256.HashData(manifestJson).AsSpan(0, 8)), manifest, node, maps);

        byte[] Take(string name)
        {
            using BundleFile file = BundleFile.Open(archive, name);
            byte[] bytes = file.ReadAll(left);
            left -= bytes.Length;
            return bytes;
        }
    }

    /// <summary>The map that a part of <see cref="BundleManifest.Maps"/> is about.</summary>
    /// <param name="contents">What the bundle holds of it.</param>
    /// <returns>The map.</returns>
    /// <exception cref="KeyNotFoundException">It is no part of this bundle.</exception>
    public Map Describe(BundleMap contents) => MapsById[contents.Id];

    /// <summary>What is there of a map.</summary>
    internal BundleMap ContentsOf(Map map) => _contents[map.Id];

    private static FileStream CreatePrivate(string path)
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new(path, options);
    }

    // Nothing here unpacks to a path, but people do.
    private static void CheckNames(ZipArchive archive)
    {
        if (archive.Entries.Count > MaxFiles)
        {
            throw new BundleFormatException($"The bundle has {archive.Entries.Count} files, and {MaxFiles} are the most.");
        }

        HashSet<string> names = [];
        foreach (string name in archive.Entries.Select(static entry => entry.FullName))
        {
            if (name.Split('/', '\\').Any(static part => part is "" or "." or "..") || !names.Add(name))
            {
                throw new BundleFormatException($"The bundle has a file '{name}': a path that no bundle has, or there twice.");
            }
        }
    }

    private static BundleManifest ReadManifest(byte[] json)
    {
        BundleManifest? manifest;
        try
        {
            // The version first: what else a later one changes is not known.
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("format", out JsonElement format)
                && format.TryGetInt32(out int number) && number != BundleManifest.CurrentFormat)
            {
                throw new BundleFormatException(
                    $"The bundle is of format {number}, and this version reads format {BundleManifest.CurrentFormat}.");
            }

            manifest = document.Deserialize(BundleManifestJson.Default.BundleManifest);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new BundleFormatException($"{BundleLayout.Manifest} of the bundle cannot be read: {error.Message}", error);
        }

        return manifest is not null && manifest.Maps.All(static map => map is not null)
            ? manifest
            : throw new BundleFormatException($"{BundleLayout.Manifest} of the bundle holds null where a description is expected.");
    }

    private static T ReadMessage<T>(string name, byte[] json)
        where T : IMessage, new()
    {
        try
        {
            return BundleLayout.Parser.Parse<T>(Encoding.UTF8.GetString(json));
        }
        catch (Exception error) when (error is InvalidJsonException or InvalidProtocolBufferException)
        {
            throw new BundleFormatException($"{name} of the bundle cannot be read: {error.Message}", error);
        }
    }
}
