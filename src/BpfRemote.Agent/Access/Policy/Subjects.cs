namespace BpfRemote.Agent.Access.Policy;

/// <summary>To whom a rule or a limit applies.</summary>
/// <param name="Principals">Patterns of principals.</param>
/// <param name="Groups">Patterns of groups.</param>
internal sealed record Subjects(IReadOnlyList<PrincipalPattern> Principals, IReadOnlyList<PrincipalPattern> Groups)
{
    private static readonly string[] PrincipalSchemes = ["unix:", "x509:", "jwt:", Caller.Anonymous];
    private static readonly string[] GroupSchemes = ["unix-group:", "jwt-group:"];

    /// <summary>Whether a caller, or a group of the caller's, is one of them.</summary>
    public bool Include(Caller caller) =>
        Principals.Any(pattern => pattern.Fits(caller.Principal)) || Groups.Any(pattern => caller.Groups.Any(pattern.Fits));

    /// <summary>Parses the two lists of a rule or limit.</summary>
    /// <param name="principals">As in the file.</param>
    /// <param name="groups">As in the file.</param>
    /// <param name="path">Where the rule or limit is in the file.</param>
    /// <param name="violations">Where everything wrong goes, by its path.</param>
    public static Subjects Parse(
        IReadOnlyList<string> principals, IReadOnlyList<string> groups, string path, List<(string Path, string Text)> violations)
    {
        if (principals.Count + groups.Count == 0)
        {
            violations.Add((path, "applies to nobody; expected principals or groups"));
        }

        return new(
            ParsePrincipals(principals, path, violations),
            Parse(groups, GroupSchemes, $"{path}.groups", violations));
    }

    /// <summary>Parses the principals of a rule or limit.</summary>
    /// <param name="principals">As in the file.</param>
    /// <param name="path">Where the rule or limit is in the file.</param>
    /// <param name="violations">Where everything wrong goes, by its path.</param>
    public static IReadOnlyList<PrincipalPattern> ParsePrincipals(
        IReadOnlyList<string> principals, string path, List<(string Path, string Text)> violations) =>
        Parse(principals, PrincipalSchemes, $"{path}.principals", violations);

    private static List<PrincipalPattern> Parse(
        IReadOnlyList<string> texts, string[] schemes, string path, List<(string Path, string Text)> violations)
    {
        List<PrincipalPattern> patterns = [];
        for (int i = 0; i < texts.Count; i++)
        {
            string? text = texts[i];
            if (PrincipalPattern.TryParse(text ?? "", schemes, out string error) is { } pattern)
            {
                patterns.Add(pattern);
            }
            else
            {
                violations.Add(($"{path}[{i}]", error));
            }
        }

        return patterns;
    }
}
