namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>What reading took.</summary>
/// <param name="Entries">Entries read.</param>
/// <param name="NativeCalls">Native calls.</param>
/// <param name="Retries">Those of them that had to be made again.</param>
/// <param name="KernelTime">CPU time spent inside native calls: who loses the CPU in the middle of one does not pay for those who had it.</param>
/// <param name="PaceWaitTime">Time waited for the pace.</param>
/// <param name="LongestCall">The longest native call; of maps read element by element, the longest run of calls without a pause.</param>
internal readonly record struct ReadCost(
    ulong Entries, ulong NativeCalls, ulong Retries, TimeSpan KernelTime, TimeSpan PaceWaitTime, TimeSpan LongestCall)
{
    /// <summary>The cost of both.</summary>
    public static ReadCost operator +(ReadCost one, ReadCost other) => new(
        one.Entries + other.Entries,
        one.NativeCalls + other.NativeCalls,
        one.Retries + other.Retries,
        one.KernelTime + other.KernelTime,
        one.PaceWaitTime + other.PaceWaitTime,
        one.LongestCall > other.LongestCall ? one.LongestCall : other.LongestCall);
}
