namespace BpfRemote.Agent.Limits;

/// <summary>What one call that reads a map has to wait for: the quota of its principal, and its turn where it is gentle.</summary>
/// <param name="principal">Whose call it is.</param>
/// <param name="quota">The quotas.</param>
/// <param name="gentle">Its place in the gentle pace; null for a call at full pace.</param>
internal sealed class CallPace(string principal, KernelTimeQuota quota, GentlePace.Call? gentle)
{
    /// <summary>Whether native calls are to be short ones.</summary>
    public bool IsGentle => gentle is not null;

    /// <summary>Waits until the next native call may be made. Completes at once while it may.</summary>
    /// <param name="patience">The longest wait; whoever waits this long is to say so and come again.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The time waited.</returns>
    public ValueTask<TimeSpan> WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        ValueTask<TimeSpan> wait = quota.WaitAsync(principal, patience, cancellationToken);
        return gentle is null ? wait
            : wait.IsCompletedSuccessfully ? gentle.WaitAsync(patience - wait.Result, cancellationToken)
            : new(WaitForBothAsync(wait, gentle, patience, cancellationToken));
    }

    /// <summary>Counts time that was spent inside native calls.</summary>
    public void Spend(TimeSpan kernelTime)
    {
        quota.Spend(principal, kernelTime);
        gentle?.Spend(kernelTime);
    }

    private static async Task<TimeSpan> WaitForBothAsync(
        ValueTask<TimeSpan> wait, GentlePace.Call gentle, TimeSpan patience, CancellationToken cancellationToken)
    {
        TimeSpan waited = await wait;
        return waited + await gentle.WaitAsync(patience - waited, cancellationToken);
    }
}
