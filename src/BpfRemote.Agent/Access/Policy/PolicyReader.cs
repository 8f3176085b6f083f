using System.Text.Json;

namespace BpfRemote.Agent.Access.Policy;

/// <summary>Reads policy files.</summary>
internal static class PolicyReader
{
    private const int MaxBytes = 1 << 20;
    private const int MaxScans = 1_024;
    private const int MaxConnections = 65_536;
    private const int MaxViolations = 100;

    private static readonly TimeSpan MinKernelTime = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan MaxKernelTime = TimeSpan.FromMinutes(1);
    private static readonly (string Name, MapRights Rights)[] RightsByName =
        [("list", MapRights.List), ("read", MapRights.Read | MapRights.List), ("full_pace", MapRights.FullPace)];

    /// <summary>Reads a policy.</summary>
    /// <param name="json">The file's content, of at most 1 MiB.</param>
    /// <exception cref="PolicyException">It is no valid policy: everything that is wrong, each with its line; at most the first 100.</exception>
    public static AccessPolicy Read(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxBytes)
        {
            throw new PolicyException([$"has {json.Length} bytes; expected at most {MaxBytes}"]);
        }

        if (json.StartsWith(System.Text.Encoding.UTF8.Preamble))
        {
            json = json[System.Text.Encoding.UTF8.Preamble.Length..];
        }

        PolicyDocument document;
        try
        {
            document = JsonSerializer.Deserialize(json, PolicyJson.Default.PolicyDocument) ?? throw new JsonException("expected an object");
        }
        catch (JsonException e)
        {
            throw new PolicyException([$"line {(e.LineNumber ?? 0) + 1}: {Explain(e)}"]);
        }

        List<(string Path, string Text)> violations = [];
        AccessPolicy policy = new(
            [.. document.Rules.Select((rule, i) => ReadRule(rule, i, violations))],
            [.. document.Limits.Select((limit, i) => ReadLimit(limit, $"limits[{i}]", violations))],
            document.Audit == AuditDuty.Required);
        if (violations.Count == 0)
        {
            return policy;
        }

        Dictionary<string, int> lines = JsonLines.Of(json);
        throw new PolicyException([
            .. violations
                .Select(violation => (Line: LineOf(violation.Path, lines), violation))
                .OrderBy(found => found.Line)
                .Take(MaxViolations)
                .Select(found => $"line {found.Line}: {Spell(found.violation.Path, document)}: {found.violation.Text}"),
            .. violations.Count > MaxViolations ? (string[])[$"and {violations.Count - MaxViolations} more"] : [],
        ]);
    }

    private static AccessRule ReadRule(RuleDocument? rule, int index, List<(string Path, string Text)> violations)
    {
        string path = $"rules[{index}]";
        rule ??= new();
        if (rule.Rights.Count == 0)
        {
            violations.Add((path, $"gives nothing; expected rights, of {Names}"));
        }

        if (rule.Maps.Count == 0)
        {
            violations.Add((path, "applies to no map; expected maps, such as [{ \"pinnedPath\": \"/sys/fs/bpf/team/*\" }]"));
        }

        MapRights rights = MapRights.None;
        for (int i = 0; i < rule.Rights.Count; i++)
        {
            MapRights given = Array.Find(RightsByName, right => right.Name == rule.Rights[i]).Rights;
            if (given == MapRights.None)
            {
                violations.Add(($"{path}.rights[{i}]", $"'{rule.Rights[i]}' is no right; expected {Names}"));
            }

            rights |= given;
        }

        return new(
            rule.Name ?? $"rule {index + 1}",
            Subjects.Parse(rule.Principals, rule.Groups, path, violations),
            rights,
            [.. rule.Maps.Select((map, i) => MapPattern.Parse(map, $"{path}.maps[{i}]", violations))]);
    }

    private static LimitRule ReadLimit(LimitDocument? limit, string path, List<(string Path, string Text)> violations)
    {
        limit ??= new();
        if (limit.Principals.Count == 0)
        {
            violations.Add((path, "applies to nobody; expected principals"));
        }

        if (limit is { MaxConcurrentScans: null, MaxConnections: null, KernelTimePerMinute: null })
        {
            violations.Add((path, "limits nothing; expected maxConcurrentScans, maxConnections or kernelTimePerMinute"));
        }

        if (limit.MaxConcurrentScans is < 1 or > MaxScans)
        {
            violations.Add(($"{path}.maxConcurrentScans", $"is {limit.MaxConcurrentScans}; expected 1 to {MaxScans}"));
        }

        if (limit.MaxConnections is < 1 or > MaxConnections)
        {
            violations.Add(($"{path}.maxConnections", $"is {limit.MaxConnections}; expected 1 to {MaxConnections}"));
        }

        if (limit.KernelTimePerMinute < MinKernelTime || limit.KernelTimePerMinute > MaxKernelTime)
        {
            violations.Add(($"{path}.kernelTimePerMinute", $"is {limit.KernelTimePerMinute}; expected {MinKernelTime} to {MaxKernelTime}"));
        }

        return new(
            Subjects.ParsePrincipals(limit.Principals, path, violations),
            limit.MaxConcurrentScans,
            limit.MaxConnections,
            limit.KernelTimePerMinute);
    }

    private static string Names => string.Join(", ", RightsByName.Select(right => right.Name));

    /// <summary>The line of a value, or of what would hold it.</summary>
    private static int LineOf(string path, Dictionary<string, int> lines)
    {
        int line;
        while (!lines.TryGetValue(path, out line))
        {
            path = path[..Math.Max(path.LastIndexOfAny(['.', '[']), 0)];
        }

        return line;
    }

    /// <summary>A path with the name of the rule that it is in: <c>rules[2] 'dashboards'.maps[0]</c>.</summary>
    private static string Spell(string path, PolicyDocument document)
    {
        const string Rules = "rules[";
        int end = path.IndexOf(']', StringComparison.Ordinal);
        return path.StartsWith(Rules, StringComparison.Ordinal)
            && document.Rules[int.Parse(path.AsSpan(Rules.Length, end - Rules.Length), System.Globalization.CultureInfo.InvariantCulture)]?.Name is { } name
                ? $"{path[..(end + 1)]} '{name}'{path[(end + 1)..]}"
                : path;
    }

    /// <summary>What JSON says was expected, without the position that goes before it here.</summary>
    private static string Explain(JsonException e)
    {
        int position = e.Message.IndexOf(" Path: ", StringComparison.Ordinal);
        string message = e.Message.Contains("could not be mapped", StringComparison.Ordinal) ? "no such name in a policy file"
            : position < 0 ? e.Message
            : e.Message[..position];
        return string.IsNullOrEmpty(e.Path) || e.Path == "$" ? message : $"{e.Path.TrimStart('$', '.')}: {message}";
    }
}

/// <summary>A policy file is not valid.</summary>
/// <param name="violations">Everything wrong with it, each with its line.</param>
internal sealed class PolicyException(IReadOnlyList<string> violations) : Exception(string.Join("; ", violations))
{
    /// <summary>Everything wrong with it, each with its line.</summary>
    public IReadOnlyList<string> Violations => violations;
}
