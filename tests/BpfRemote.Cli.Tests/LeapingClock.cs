using Microsoft.Extensions.Time.Testing;

namespace BpfRemote.Cli.Tests;

/// <summary>A clock that leaps to whatever is waited for, and remembers the waits.</summary>
internal sealed class LeapingClock() : FakeTimeProvider(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000))
{
    /// <summary>How long each wait was.</summary>
    public List<TimeSpan> Waits { get; } = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Waits.Add(dueTime);
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        Advance(dueTime);
        return timer;
    }
}
