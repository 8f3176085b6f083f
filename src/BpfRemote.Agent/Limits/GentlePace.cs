namespace BpfRemote.Agent.Limits;

/// <summary>Bounds the share of one CPU that all gentle scans together spend inside native calls.</summary>
/// <remarks>
/// A balance of kernel time that refills at the allowed share, up to a free burst so that a short page never waits. While the
/// kernel copies a batch, tracing programs do not run on that CPU and their events are lost: measured, a 1 kHz perf_event program
/// kept 37 % of its runs beside an unpaced scan.
/// </remarks>
internal sealed class GentlePace(double share, TimeProvider time)
{
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(5);

    private readonly Lock _lock = new();
    private TimeSpan _balance = Burst;
    private long _refilledAt = time.GetTimestamp();

    /// <summary>Takes time that was spent inside native calls from the balance.</summary>
    public void Spend(TimeSpan kernelTime)
    {
        lock (_lock)
        {
            Refill();
            _balance -= kernelTime;
        }
    }

    /// <summary>Waits until the balance is above zero. Completes at once while it is.</summary>
    /// <param name="patience">The longest wait; whoever waits this long is to say so and come again.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The time waited.</returns>
    public ValueTask<TimeSpan> WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        TimeSpan shortage = Shortage();
        return shortage == TimeSpan.Zero ? new(TimeSpan.Zero) : new(WaitSlowlyAsync(shortage, patience, cancellationToken));
    }

    private async Task<TimeSpan> WaitSlowlyAsync(TimeSpan shortage, TimeSpan patience, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        TimeSpan waited = TimeSpan.Zero;
        while (shortage > TimeSpan.Zero && waited < patience)
        {
            TimeSpan rest = patience - waited;
            await Task.Delay(shortage < rest ? shortage : rest, time, cancellationToken);
            shortage = Shortage();
            waited = time.GetElapsedTime(start);
        }

        return waited;
    }

    /// <summary>How long until the balance is above zero; timers count whole milliseconds.</summary>
    private TimeSpan Shortage()
    {
        lock (_lock)
        {
            Refill();
            return _balance > TimeSpan.Zero
                ? TimeSpan.Zero
                : TimeSpan.FromMilliseconds(Math.Ceiling((-_balance / share).TotalMilliseconds) + 1);
        }
    }

    private void Refill()
    {
        long now = time.GetTimestamp();
        _balance += share * time.GetElapsedTime(_refilledAt, now);
        _balance = _balance < Burst ? _balance : Burst;
        _refilledAt = now;
    }
}
