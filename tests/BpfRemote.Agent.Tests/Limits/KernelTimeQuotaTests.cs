using BpfRemote.Agent.Limits;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BpfRemote.Agent.Tests.Limits;

public sealed class KernelTimeQuotaTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly KernelTimeQuota _quota;

    public KernelTimeQuotaTests() => _quota = new(
        principal => new() { KernelTimePerMinute = principal == "bounded" ? TimeSpan.FromSeconds(6) : null }, _time);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Beyond_the_quota_a_call_waits_and_goes_on()
    {
        _quota.Spend("bounded", TimeSpan.FromSeconds(6.5)); // half a second too much: a tenth of a second comes back in one

        ValueTask<TimeSpan> wait = _quota.WaitAsync("bounded", Patience, Cancelled);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(wait.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.InRange(await wait, TimeSpan.FromSeconds(4.9), TimeSpan.FromSeconds(5.1));
    }

    [Fact]
    public async Task Below_the_quota_nobody_waits()
    {
        _quota.Spend("bounded", TimeSpan.FromSeconds(5.9));
        Assert.Equal(TimeSpan.Zero, await _quota.WaitAsync("bounded", Patience, Cancelled));
    }

    [Fact]
    public async Task Others_do_not_wait_and_who_has_no_quota_never_does()
    {
        _quota.Spend("bounded", TimeSpan.FromHours(1));
        _quota.Spend("free", TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.Zero, await _quota.WaitAsync("free", Patience, Cancelled));
    }

    [Fact]
    public async Task Whoever_waits_hears_so_in_time()
    {
        _quota.Spend("bounded", TimeSpan.FromHours(1));
        ValueTask<TimeSpan> wait = _quota.WaitAsync("bounded", Patience, Cancelled);
        _time.Advance(Patience);
        Assert.Equal(Patience, await wait);
    }
}
