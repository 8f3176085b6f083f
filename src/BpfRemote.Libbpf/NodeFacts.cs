namespace BpfRemote.Libbpf;

/// <summary>What does not change while a node is up.</summary>
/// <param name="Hostname">The host name.</param>
/// <param name="KernelRelease">As <c>uname -r</c>.</param>
/// <param name="BootId">As /proc/sys/kernel/random/boot_id.</param>
/// <param name="PossibleCpuIds">Ids of the possible CPUs, in the order of the blocks of a per-CPU value.</param>
/// <param name="LibbpfVersion">The version of libbpf in use; empty where none is.</param>
public sealed record NodeFacts(
    string Hostname,
    string KernelRelease,
    Guid BootId,
    IReadOnlyList<uint> PossibleCpuIds,
    string LibbpfVersion);

/// <summary>The node's clocks at one moment, in nanoseconds.</summary>
/// <param name="Realtime">CLOCK_REALTIME, since the epoch.</param>
/// <param name="Monotonic">CLOCK_MONOTONIC, as bpf_ktime_get_ns.</param>
/// <param name="Boottime">CLOCK_BOOTTIME, as bpf_ktime_get_boot_ns.</param>
public readonly record struct NodeClocks(ulong Realtime, ulong Monotonic, ulong Boottime);
