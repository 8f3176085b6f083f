using Google.Protobuf;

namespace BpfRemote.Client;

/// <summary>Where things are in a bundle, which is a ZIP file.</summary>
internal static class BundleLayout
{
    /// <summary>A <see cref="BundleManifest"/>. The last file that is written.</summary>
    public const string Manifest = "bundle.json";

    /// <summary>A Node as JSON, without the principal.</summary>
    public const string Node = "node.json";

    /// <summary>The most bytes of one message; an agent's are under 3.5 MiB.</summary>
    public const int MaxMessageBytes = 16 << 20;

    /// <summary>Writes messages as JSON under the names of the protocol.</summary>
    public static JsonFormatter Formatter { get; } =
        new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true).WithIndentation());

    /// <summary>Reads them. Fields of later versions are passed over.</summary>
    public static JsonParser Parser { get; } = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>A Map in view FULL, as JSON.</summary>
    public static string Map(uint id) => $"maps/{id}.json";

    /// <summary>The entries of a map: LookupBatchResponse messages without tokens, each after its length as a varint.</summary>
    public static string Entries(uint id) => $"entries/{id}.pb";

    /// <summary>A raw BTF object.</summary>
    public static string Btf(string sha256) => $"btf/{sha256}.btf";
}
