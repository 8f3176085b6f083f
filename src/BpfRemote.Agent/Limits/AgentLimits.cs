namespace BpfRemote.Agent.Limits;

/// <summary>The limits in force; GetNode reports them.</summary>
public sealed record AgentLimits
{
    /// <summary>The most bytes of keys and values in one response: under the 4 MiB that gRPC clients take by default.</summary>
    public const int MaxResponseBytes = 3_670_016;

    /// <summary>Bytes of keys and values a response is aimed at: under the 85,000 of the large object heap.</summary>
    public const int TargetResponseBytes = 65_536;

    /// <summary>The most entries in one response.</summary>
    public const int MaxBatchSize = 65_536;

    /// <summary>The most keys in one LookupElements, before sizes limit it further.</summary>
    public const int MaxLookupKeys = 1_000;

    /// <summary>The most bytes of one request message.</summary>
    public const int MaxRequestBytes = 65_536;

    /// <summary>The most bytes of all request headers.</summary>
    public const int MaxRequestHeaderBytes = 8_192;

    /// <summary>The most maps on one page of ListMaps.</summary>
    public const int MaxPageSize = 1_000;

    /// <summary>Maps on one page of ListMaps where the caller does not say.</summary>
    public const int DefaultPageSize = 100;

    /// <summary>Restarts after which a scan is given up as unstable; the token counts them over the whole scan.</summary>
    public const int MaxScanRestarts = 1_000;

    private const int MostScans = 4_096;

    /// <summary>A connection that is silent for this long is asked whether its client is still there.</summary>
    public static readonly TimeSpan KeepaliveInterval = TimeSpan.FromSeconds(30);

    /// <summary>The time to answer that; the connection ends then.</summary>
    public static readonly TimeSpan KeepaliveTimeout = TimeSpan.FromSeconds(20);

    /// <summary>A client hears of a scan at least this often, with entries or without.</summary>
    public static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(10);

    /// <summary>Connections at once. From 1 to 65,536; 256 by default.</summary>
    public int MaxConnections { get; set; } = 256;

    /// <summary>Connections at once of one principal. From 1 to 65,536; 64 by default.</summary>
    public int MaxConnectionsPerPrincipal { get; set; } = 64;

    /// <summary>The time in which a connection has to begin. From 0.1 s to 1 min; 5 s by default.</summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The age at which a connection takes no more calls, and ends with those that it has; up to a tenth more, so that
    /// not all end at once. From 1 s to 1 day; 15 min by default.</summary>
    public TimeSpan MaxConnectionAge { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Calls at once on one connection. From 1 to 1,024; 32 by default.</summary>
    public int MaxStreamsPerConnection { get; set; } = 32;

    /// <summary>Scans at once, over all callers, streams of GetBtf among them. From 1 to 4,096; 32 by default.</summary>
    public int MaxConcurrentScans { get; set; } = 32;

    /// <summary>The same of one principal. From 1 to 4,096; 8 by default.</summary>
    public int MaxScansPerPrincipal { get; set; } = 8;

    /// <summary>Bytes that answers in the making and answers not yet taken may hold, over all callers. At least 384 KiB for each scan
    /// at once and 36 MiB more, up to 16 GiB; 64 MiB by default.</summary>
    public long MaxBufferBytes { get; set; } = 64 << 20;

    /// <summary>The share of one CPU that all gentle scans together may spend inside native calls.
    /// From 0.001 to 1; 0.1 by default.</summary>
    public double GentleCpuShare { get; set; } = 0.1;

    /// <summary>The time one write of a response may take. From 0.1 s to 10 min; 5 s by default.</summary>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The age at which a stream ends, to be resumed. From 1 s to 1 day; 15 min by default.</summary>
    public TimeSpan MaxStreamAge { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Everything wrong with these limits; empty for nothing.</summary>
    public IEnumerable<string> Violations()
    {
        string?[] violations =
        [
            Outside(nameof(MaxConnections), MaxConnections, 1, 65_536),
            Outside(nameof(MaxConnectionsPerPrincipal), MaxConnectionsPerPrincipal, 1, 65_536),
            Outside(nameof(HandshakeTimeout), HandshakeTimeout, TimeSpan.FromSeconds(0.1), TimeSpan.FromMinutes(1)),
            Outside(nameof(MaxConnectionAge), MaxConnectionAge, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
            Outside(nameof(MaxStreamsPerConnection), MaxStreamsPerConnection, 1, 1_024),
            Outside(nameof(MaxConcurrentScans), MaxConcurrentScans, 1, MostScans),
            Outside(nameof(MaxScansPerPrincipal), MaxScansPerPrincipal, 1, MostScans),
            Outside(nameof(MaxBufferBytes), MaxBufferBytes, LeastBufferBytes, 16L << 30),
            Outside(nameof(GentleCpuShare), GentleCpuShare, 0.001, 1),
            Outside(nameof(WriteTimeout), WriteTimeout, TimeSpan.FromSeconds(0.1), TimeSpan.FromMinutes(10)),
            Outside(nameof(MaxStreamAge), MaxStreamAge, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
        ];
        return violations.OfType<string>();
    }

    /// <summary>What every scan needs, and the largest one beside half of the rest, which is left to others.</summary>
    private long LeastBufferBytes =>
        BufferBudget.ReservedBy(Math.Clamp(MaxConcurrentScans, 0, MostScans)) + (2L * BufferBudget.LargestScan);

    private static string? Outside<T>(string name, T value, T min, T max)
        where T : IComparable<T> =>
        value.CompareTo(min) < 0 || value.CompareTo(max) > 0 ? $"limits.{name} is {value}; expected {min} to {max}" : null;
}
