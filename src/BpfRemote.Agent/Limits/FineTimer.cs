namespace BpfRemote.Agent.Limits;

/// <summary>A timer that is on time to the millisecond: those of .NET go by a clock that ticks every 4 ms on most kernels.</summary>
internal sealed class FineTimer : ITimer
{
    private readonly Action _callback;
    private readonly object _gate = new(); // to be waited on, which no Lock can
    private long _due = long.MaxValue;
    private long _wakesAt = long.MaxValue;
    private bool _isDisposed;

    /// <param name="callback">Called once each time that the timer is due, one call after the other.</param>
    public FineTimer(Action callback)
    {
        _callback = callback;
        new Thread(Run) { IsBackground = true }.Start();
    }

    /// <summary>Sets when the timer is due next. It has no period.</summary>
    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        lock (_gate)
        {
            _due = dueTime == Timeout.InfiniteTimeSpan
                ? long.MaxValue
                : TimeProvider.System.GetTimestamp() + (long)(dueTime.TotalSeconds * TimeProvider.System.TimestampFrequency);
            if (_due < _wakesAt)
            {
                Monitor.Pulse(_gate); // one that is due later is seen when the thread wakes for the earlier
            }

            return true;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            Monitor.Pulse(_gate);
        }
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Run()
    {
        while (WaitUntilDue())
        {
            _callback();
        }
    }

    private bool WaitUntilDue()
    {
        lock (_gate)
        {
            while (!_isDisposed)
            {
                TimeSpan rest = TimeProvider.System.GetElapsedTime(TimeProvider.System.GetTimestamp(), _due);
                if (rest <= TimeSpan.Zero)
                {
                    _due = long.MaxValue;
                    return true;
                }

                _wakesAt = _due;
                Monitor.Wait(_gate, _due == long.MaxValue ? Timeout.Infinite : (int)Math.Ceiling(Math.Min(rest.TotalMilliseconds, int.MaxValue)));
                _wakesAt = 0; // awake, and about to look
            }

            return false;
        }
    }
}
