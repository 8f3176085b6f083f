using BpfRemote.Agent.Limits;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BpfRemote.Agent.Tests.Limits;

public sealed class GentlePaceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_short_page_never_waits()
    {
        GentlePace pace = new(0.1, _time);
        pace.Spend(TimeSpan.FromMilliseconds(4));

        Assert.Equal(TimeSpan.Zero, await pace.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Beyond_the_burst_time_is_given_at_the_share()
    {
        GentlePace pace = new(0.1, _time);
        pace.Spend(TimeSpan.FromMilliseconds(15)); // 10 ms more than the burst: 100 ms at a tenth

        ValueTask<TimeSpan> wait = pace.WaitAsync(Patience, TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(wait.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(2));

        Assert.InRange(await wait, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(102));
    }

    [Fact]
    public async Task Rest_earns_no_more_than_the_burst()
    {
        GentlePace pace = new(0.1, _time);
        _time.Advance(TimeSpan.FromHours(1));
        pace.Spend(TimeSpan.FromMilliseconds(6));

        ValueTask<TimeSpan> wait = pace.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.False(wait.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(12));
        Assert.NotEqual(TimeSpan.Zero, await wait);
    }

    [Fact]
    public async Task Waiting_ends_when_the_call_does()
    {
        GentlePace pace = new(0.1, _time);
        pace.Spend(TimeSpan.FromSeconds(1));
        using CancellationTokenSource call = new();
        ValueTask<TimeSpan> wait = pace.WaitAsync(Patience, call.Token);

        await call.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait);
    }

    [Fact]
    public async Task Nobody_waits_longer_than_their_patience()
    {
        GentlePace pace = new(0.001, _time);
        pace.Spend(TimeSpan.FromMinutes(1));

        ValueTask<TimeSpan> wait = pace.WaitAsync(Patience, TestContext.Current.CancellationToken);
        _time.Advance(Patience);

        Assert.Equal(Patience, await wait);
    }
}
