namespace BpfRemote.Agent.Limits;

/// <summary>Bounds the time that the calls of a principal spend inside native calls in a minute; beyond it they wait.</summary>
/// <remarks>What was spent is forgotten at the rate of the quota, so the whole of it can be spent at once and comes back over a minute.</remarks>
internal sealed class KernelTimeQuota(Func<string, PrincipalLimits> limitsOf, TimeProvider time)
{
    /// <summary>Principals known before those that owe nothing any more are looked for.</summary>
    private const int Many = 256;

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (TimeSpan Spent, long At)> _spent = [];

    /// <summary>Counts time that a principal's call spent inside native calls.</summary>
    public void Spend(string principal, TimeSpan kernelTime)
    {
        if (limitsOf(principal).KernelTimePerMinute is not { } quota)
        {
            return;
        }

        lock (_lock)
        {
            _spent[principal] = (SpentBy(principal, quota) + kernelTime, time.GetTimestamp());
            if (_spent.Count > Many)
            {
                Forget();
            }
        }
    }

    /// <summary>Waits until a principal is below its quota. Completes at once while it is, or has none.</summary>
    /// <param name="principal">Whose call it is.</param>
    /// <param name="patience">The longest wait; whoever waits this long is to say so and come again.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The time waited.</returns>
    public ValueTask<TimeSpan> WaitAsync(string principal, TimeSpan patience, CancellationToken cancellationToken)
    {
        TimeSpan shortage = Shortage(principal);
        return shortage == TimeSpan.Zero ? new(TimeSpan.Zero) : new(WaitSlowlyAsync(principal, shortage, patience, cancellationToken));
    }

    private async Task<TimeSpan> WaitSlowlyAsync(string principal, TimeSpan shortage, TimeSpan patience, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        TimeSpan waited = TimeSpan.Zero;
        while (shortage > TimeSpan.Zero && waited < patience)
        {
            TimeSpan rest = patience - waited;
            await Task.Delay(shortage < rest ? shortage : rest, time, cancellationToken);
            shortage = Shortage(principal);
            waited = time.GetElapsedTime(start);
        }

        return waited;
    }

    /// <summary>How long until the principal is below its quota; timers count whole milliseconds.</summary>
    private TimeSpan Shortage(string principal)
    {
        if (limitsOf(principal).KernelTimePerMinute is not { } quota)
        {
            return TimeSpan.Zero;
        }

        lock (_lock)
        {
            TimeSpan excess = SpentBy(principal, quota) - quota;
            return excess < TimeSpan.Zero ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling((excess * (Period / quota)).TotalMilliseconds) + 1);
        }
    }

    private TimeSpan SpentBy(string principal, TimeSpan quota)
    {
        if (!_spent.TryGetValue(principal, out (TimeSpan Spent, long At) known))
        {
            return TimeSpan.Zero;
        }

        TimeSpan rest = known.Spent - (time.GetElapsedTime(known.At) * (quota / Period));
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }

    private void Forget()
    {
        foreach (string principal in _spent.Keys.Where(
            principal => limitsOf(principal).KernelTimePerMinute is not { } quota || SpentBy(principal, quota) == TimeSpan.Zero).ToArray())
        {
            _spent.Remove(principal);
        }
    }
}
