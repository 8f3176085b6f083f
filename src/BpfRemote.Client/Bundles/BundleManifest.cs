using System.Text.Json;
using System.Text.Json.Serialization;

namespace BpfRemote.Client;

/// <summary>What a bundle says of itself, in its <c>bundle.json</c>.</summary>
public sealed record BundleManifest
{
    /// <summary>The format that this version writes and reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The format; see <see cref="CurrentFormat"/>.</summary>
    public required int Format { get; init; }

    /// <summary>When the bundle was begun, by the clock of the client that made it.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The version of that client.</summary>
    public required string ClientVersion { get; init; }

    /// <summary>Every map of the node that the maker of the bundle could list, by id.</summary>
    public required IReadOnlyList<BundleMap> Maps { get; init; }
}

/// <summary>What a bundle holds of one map.</summary>
public sealed record BundleMap
{
    /// <summary>The map's id.</summary>
    public required uint Id { get; init; }

    /// <summary>The map's name.</summary>
    public required string Name { get; init; }

    /// <summary>How many entries the bundle holds.</summary>
    public required ulong Entries { get; init; }

    /// <summary>The bytes of their keys and values.</summary>
    public required ulong Bytes { get; init; }

    /// <summary>Whether these are all entries that the map had.</summary>
    public required bool Complete { get; init; }

    /// <summary>Why they are not all; <see langword="null"/> where they are.</summary>
    public string? Reason { get; init; }

    /// <summary>
    /// SHA-256 of the BTF object that the map refers to, in lower-case hexadecimal; <see langword="null"/> where the bundle has none.
    /// </summary>
    public string? Btf { get; init; }

    /// <summary>The same of the kernel's own BTF, for a map whose values are of a type of the kernel.</summary>
    public string? VmlinuxBtf { get; init; }

    /// <summary>Why a BTF object that the map refers to is not there; <see langword="null"/> where none is missing.</summary>
    public string? BtfError { get; init; }
}

/// <summary>Writes and reads <c>bundle.json</c>, in names and layout for people.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true)]
[JsonSerializable(typeof(BundleManifest))]
internal sealed partial class BundleManifestJson : JsonSerializerContext;
