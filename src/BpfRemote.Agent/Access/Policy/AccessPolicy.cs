using BpfRemote.Agent.Limits;

namespace BpfRemote.Agent.Access.Policy;

/// <summary>Who may do what with which maps, as it is in force. What no rule gives, nobody has.</summary>
/// <param name="Rules">The rules.</param>
/// <param name="Limits">Limits of some principals; the first that fits counts.</param>
/// <param name="AuditRequired">Whether data is sent only where the audit log took the line about it.</param>
internal sealed record AccessPolicy(IReadOnlyList<AccessRule> Rules, IReadOnlyList<LimitRule> Limits, bool AuditRequired)
{
    /// <summary>In force where there is no policy file: root over the unix socket may do everything, nobody else anything.</summary>
    public static readonly AccessPolicy RootOnly = OneRule("built-in: root", PrincipalPattern.Exactly("unix:uid=0"));

    /// <summary>In force where sample maps are served and no policy is tried: they are no secret.</summary>
    public static readonly AccessPolicy Everybody = OneRule("built-in: sample maps", PrincipalPattern.Everybody);

    /// <summary>The rules that apply to a caller.</summary>
    public IReadOnlyList<AccessRule> RulesFor(Caller caller) => [.. Rules.Where(rule => rule.Subjects.Include(caller))];

    /// <summary>The limits of a principal.</summary>
    /// <param name="principal">The principal.</param>
    /// <param name="defaults">What holds where the policy does not say.</param>
    public PrincipalLimits LimitsOf(string principal, PrincipalLimits defaults) =>
        Limits.FirstOrDefault(limit => limit.Principals.Any(pattern => pattern.Fits(principal))) is not { } own
            ? defaults
            : new()
            {
                MaxConcurrentScans = own.MaxConcurrentScans ?? defaults.MaxConcurrentScans,
                MaxConnections = own.MaxConnections ?? defaults.MaxConnections,
                KernelTimePerMinute = own.KernelTimePerMinute ?? defaults.KernelTimePerMinute,
            };

    private static AccessPolicy OneRule(string name, PrincipalPattern principal) =>
        new([new AccessRule(name, new([principal], []), MapRights.All, [MapPattern.Every])], [], AuditRequired: false);
}

/// <summary>Limits of some principals.</summary>
/// <param name="Principals">Whose: each has its own.</param>
/// <param name="MaxConcurrentScans">Scans at once; null for the agent's.</param>
/// <param name="MaxConnections">Connections at once; null for the agent's.</param>
/// <param name="KernelTimePerMinute">Time in the kernel that all reads of one principal may take in a minute; null for no bound.</param>
internal sealed record LimitRule(
    IReadOnlyList<PrincipalPattern> Principals, int? MaxConcurrentScans, int? MaxConnections, TimeSpan? KernelTimePerMinute);
