using System.Text.Json;
using System.Text.Json.Serialization;

namespace BpfRemote.Agent.Access.Policy;

/// <summary>A policy file: JSON with these names in camelCase, comments and trailing commas allowed.</summary>
/// <remarks>What no rule gives, nobody has. <c>deploy/policy.schema.json</c> says the same for editors.</remarks>
internal sealed record PolicyDocument
{
    /// <summary>Where editors find the schema; the agent does not look.</summary>
    [JsonPropertyName("$schema")]
    public string? Schema { get; set; }

    /// <summary>Whether data is sent only where the audit log took the line about it.</summary>
    public AuditDuty Audit { get; set; }

    /// <summary>Who may do what with which maps.</summary>
    public IReadOnlyList<RuleDocument> Rules { get; set; } = [];

    /// <summary>Limits of principals that differ from the agent's; the first that fits a principal counts.</summary>
    public IReadOnlyList<LimitDocument> Limits { get; set; } = [];
}

/// <summary>One rule.</summary>
internal sealed record RuleDocument
{
    /// <summary>What audit lines and <c>policy explain</c> call the rule; its number where it has none.</summary>
    public string? Name { get; set; }

    /// <summary>To whom it applies: principals as GetNode names them, or the start of some with <c>*</c> after it.</summary>
    public IReadOnlyList<string> Principals { get; set; } = [];

    /// <summary>To which groups it applies, likewise.</summary>
    public IReadOnlyList<string> Groups { get; set; } = [];

    /// <summary>Of <c>list</c>, <c>read</c> and <c>full_pace</c>.</summary>
    public IReadOnlyList<string> Rights { get; set; } = [];

    /// <summary>To which maps it applies.</summary>
    public IReadOnlyList<MapDocument> Maps { get; set; } = [];
}

/// <summary>Some maps: those that fit everything that is given.</summary>
internal sealed record MapDocument
{
    /// <summary>A glob for a path where the map is pinned; <c>*</c> stops at <c>/</c>, <c>**</c> does not.</summary>
    public string? PinnedPath { get; set; }

    /// <summary>A glob for the map's name, of which the kernel keeps 15 bytes.</summary>
    public string? Name { get; set; }

    /// <summary>Types, as <c>map list</c> names them.</summary>
    public IReadOnlyList<string>? Types { get; set; }
}

/// <summary>Limits of some principals.</summary>
internal sealed record LimitDocument
{
    /// <summary>To whom they apply, as in a rule: each of them has its own.</summary>
    public IReadOnlyList<string> Principals { get; set; } = [];

    /// <summary>Scans at once, from 1 to 1,024. The agent's where it is absent.</summary>
    public int? MaxConcurrentScans { get; set; }

    /// <summary>Connections at once, from 1 to 65,536. The agent's where it is absent.</summary>
    public int? MaxConnections { get; set; }

    /// <summary>Time that all reads of the principal may spend in the kernel in a minute, from 1 ms to 1 min. No bound where it is
    /// absent. Beyond it reads wait.</summary>
    public TimeSpan? KernelTimePerMinute { get; set; }
}

/// <summary>What happens where the audit log cannot be written.</summary>
[JsonConverter(typeof(AuditDutyConverter))]
internal enum AuditDuty
{
    /// <summary>Calls are answered all the same, and the agent's log says so.</summary>
    [JsonStringEnumMemberName("best_effort")]
    BestEffort,

    /// <summary>No line written, no data sent.</summary>
    [JsonStringEnumMemberName("required")]
    Required,
}

/// <summary>By name only: a number without a meaning would pass for no duty.</summary>
internal sealed class AuditDutyConverter() : JsonStringEnumConverter<AuditDuty>(namingPolicy: null, allowIntegerValues: false);

/// <summary>The JSON of a policy file.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PolicyDocument))]
internal sealed partial class PolicyJson : JsonSerializerContext;
