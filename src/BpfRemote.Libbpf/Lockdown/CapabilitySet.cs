using System.Globalization;

namespace BpfRemote.Libbpf.Lockdown;

/// <summary>A set of Linux capabilities: <c>linux/capability.h</c>.</summary>
/// <param name="Bits">One bit for each, by its number.</param>
public readonly record struct CapabilitySet(ulong Bits)
{
    /// <summary>Nothing.</summary>
    public static readonly CapabilitySet None;

    /// <summary>Gives files to other users.</summary>
    public static readonly CapabilitySet Chown = new(1UL << 0);

    /// <summary>Reads files and searches directories of any user, /proc/PID/fd among them.</summary>
    public static readonly CapabilitySet DacReadSearch = new(1UL << 2);

    /// <summary>Sets the group of a process.</summary>
    public static readonly CapabilitySet SetGid = new(1UL << 6);

    /// <summary>Sets the user of a process.</summary>
    public static readonly CapabilitySet SetUid = new(1UL << 7);

    /// <summary>Looks into other processes.</summary>
    public static readonly CapabilitySet SysPtrace = new(1UL << 19);

    /// <summary>Lists eBPF maps and opens them by id, and much else.</summary>
    public static readonly CapabilitySet SysAdmin = new(1UL << 21);

    public static CapabilitySet operator |(CapabilitySet left, CapabilitySet right) => left.BitwiseOr(right);

    public static CapabilitySet operator &(CapabilitySet left, CapabilitySet right) => left.BitwiseAnd(right);

    /// <summary>What the calling thread may do now.</summary>
    public static CapabilitySet OfThisThread()
    {
        const string Effective = "CapEff:\t";
        string line = File.ReadLines("/proc/thread-self/status").First(line => line.StartsWith(Effective, StringComparison.Ordinal));
        return new(ulong.Parse(line.AsSpan(Effective.Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    public CapabilitySet BitwiseOr(CapabilitySet other) => new(Bits | other.Bits);

    public CapabilitySet BitwiseAnd(CapabilitySet other) => new(Bits & other.Bits);

    /// <summary>Whether all of a set are in this one.</summary>
    public bool Contains(CapabilitySet capabilities) => (Bits & capabilities.Bits) == capabilities.Bits;
}
