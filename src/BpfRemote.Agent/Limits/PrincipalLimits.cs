namespace BpfRemote.Agent.Limits;

/// <summary>The limits of one principal, within those of the agent.</summary>
public sealed record PrincipalLimits
{
    /// <summary>Scans at once, streams of GetBtf among them. 8 by default.</summary>
    public int MaxConcurrentScans { get; init; } = 8;

    /// <summary>Connections at once. 64 by default.</summary>
    public int MaxConnections { get; init; } = 64;

    /// <summary>Time that its calls may spend inside native calls in a minute; beyond it they wait. Null, the default, for any.</summary>
    public TimeSpan? KernelTimePerMinute { get; init; }

    /// <summary>What the agent's limits give to whoever has none of their own.</summary>
    public static PrincipalLimits DefaultOf(AgentLimits limits) => new()
    {
        MaxConcurrentScans = limits.MaxScansPerPrincipal,
        MaxConnections = limits.MaxConnectionsPerPrincipal,
    };
}
