using BpfRemote.Agent.Limits;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BpfRemote.Agent.Tests.Limits;

public sealed class GentlePaceTests : IDisposable
{
    private const double Share = 0.1;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortCall = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan ShortBurst = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongBurst = TimeSpan.FromMilliseconds(2.5);

    private readonly FakeTimeProvider _time = new();
    private readonly GentlePace _pace;

    public GentlePaceTests() => _pace = new(Share, _time);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_short_page_never_waits_not_even_beside_long_scans_of_its_own_principal()
    {
        using GentlePace.Call scan = _pace.Enter("a");
        ValueTask<TimeSpan> scanning = SpendUntilItWaits(scan);
        using GentlePace.Call page = _pace.Enter("a");

        Assert.Equal(TimeSpan.Zero, await page.WaitAsync(Patience, Cancelled));
        page.Spend(TimeSpan.FromMilliseconds(0.1));
        Assert.False(scanning.IsCompleted);
    }

    [Fact]
    public async Task A_page_of_another_principal_does_not_wait_for_one_that_spent_everything()
    {
        using GentlePace.Call greedy = _pace.Enter("a");
        greedy.Spend(TimeSpan.FromSeconds(10));
        using GentlePace.Call page = _pace.Enter("b");

        Assert.Equal(TimeSpan.Zero, await page.WaitAsync(Patience, Cancelled));
    }

    [Fact]
    public void Thousands_of_pages_wait_for_nothing_though_they_take_more_than_the_share()
    {
        for (TimeSpan elapsed = TimeSpan.Zero; elapsed < TimeSpan.FromSeconds(2.5); elapsed += TimeSpan.FromMilliseconds(1))
        {
            using GentlePace.Call page = _pace.Enter("a");
            Assert.True(page.WaitAsync(Patience, Cancelled).AsTask().IsCompletedSuccessfully);
            page.Spend(TimeSpan.FromMilliseconds(0.19));
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }
    }

    [Fact]
    public async Task Pages_that_want_everything_leave_a_tenth_to_a_scan()
    {
        Reader pages = new(_pace, "a", isPaging: true);
        Reader scan = new(_pace, "a");

        TimeSpan elapsed = await RunAsync([pages, scan], TimeSpan.FromSeconds(10));

        Assert.InRange(scan.Spent / elapsed, 0.09 * Share, (0.11 * Share) + (LongBurst / elapsed));
        Assert.InRange(pages.Spent / elapsed, 0.85 * Share, (0.91 * Share) + (ShortBurst / elapsed));
    }

    [Fact]
    public async Task Beyond_the_burst_time_is_given_at_the_share()
    {
        using GentlePace.Call call = EnterLong("a");
        call.Spend(LongBurst + TimeSpan.FromMilliseconds(10));

        ValueTask<TimeSpan> wait = call.WaitAsync(Patience, Cancelled);
        _time.Advance(TimeSpan.FromMilliseconds(119)); // 10 ms, and the 2 ms that it took while it was short
        Assert.False(wait.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(4));

        Assert.InRange(await wait, TimeSpan.FromMilliseconds(120), TimeSpan.FromMilliseconds(123));
    }

    [Fact]
    public async Task Rest_earns_no_more_than_the_burst()
    {
        using GentlePace.Call call = EnterLong("a");
        _time.Advance(TimeSpan.FromHours(1));
        call.Spend(LongBurst + TimeSpan.FromMilliseconds(1));

        ValueTask<TimeSpan> wait = call.WaitAsync(Patience, Cancelled);
        Assert.False(wait.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(15));
        Assert.NotEqual(TimeSpan.Zero, await wait);
    }

    [Fact]
    public async Task Eight_scans_of_one_principal_get_no_more_than_one_of_another()
    {
        Reader[] many = [.. Enumerable.Range(0, 8).Select(_ => new Reader(_pace, "a"))];
        Reader one = new(_pace, "b");

        TimeSpan elapsed = await RunAsync([.. many, one], TimeSpan.FromSeconds(10));

        double all = many.Sum(scan => scan.Spent.TotalSeconds);
        Assert.InRange(all / one.Spent.TotalSeconds, 0.97, 1.03);
        Assert.InRange((all + one.Spent.TotalSeconds) / elapsed.TotalSeconds, 0.9 * Share, (Share * 1.01) + (2 * LongBurst / elapsed));
        Assert.All(many, scan => Assert.InRange(scan.Spent / many[0].Spent, 0.9, 1.1));
    }

    [Fact]
    public async Task What_one_principal_does_not_need_the_other_gets()
    {
        using GentlePace.Call idle = _pace.Enter("a");
        Reader one = new(_pace, "b");

        TimeSpan elapsed = await RunAsync([one], TimeSpan.FromSeconds(10));

        Assert.InRange(one.Spent / elapsed, 0.9 * Share, (Share * 1.01) + (LongBurst / elapsed));
    }

    [Fact]
    public async Task A_turn_that_is_not_used_goes_to_the_next()
    {
        using GentlePace.Call last = _pace.Enter("a");
        last.Spend(ShortBurst - TimeSpan.FromMilliseconds(0.05));
        using GentlePace.Call other = _pace.Enter("a");
        ValueTask<TimeSpan> waiting;
        using (GentlePace.Call first = _pace.Enter("a"))
        {
            Assert.Equal(TimeSpan.Zero, await first.WaitAsync(Patience, Cancelled)); // takes what is left
            waiting = other.WaitAsync(Patience, Cancelled);
            Assert.False(waiting.IsCompleted);
        }

        await waiting;
    }

    [Fact]
    public async Task Waiting_ends_when_the_call_does()
    {
        using GentlePace.Call call = EnterLong("a");
        call.Spend(TimeSpan.FromSeconds(1));
        using CancellationTokenSource ended = new();
        ValueTask<TimeSpan> wait = call.WaitAsync(Patience, ended.Token);

        await ended.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait);
    }

    [Fact]
    public async Task Nobody_waits_longer_than_their_patience()
    {
        using GentlePace.Call call = EnterLong("a");
        call.Spend(TimeSpan.FromMinutes(10));

        ValueTask<TimeSpan> wait = call.WaitAsync(Patience, Cancelled);
        _time.Advance(Patience);

        Assert.Equal(Patience, await wait);
    }

    public void Dispose() => _pace.Dispose();

    private static ValueTask<TimeSpan> SpendUntilItWaits(GentlePace.Call call)
    {
        while (true)
        {
            ValueTask<TimeSpan> wait = call.WaitAsync(Patience, Cancelled);
            if (!wait.IsCompleted)
            {
                return wait;
            }

            call.Spend(TimeSpan.FromMilliseconds(0.1));
        }
    }

    /// <summary>A call that is a short one no more.</summary>
    private GentlePace.Call EnterLong(string principal)
    {
        GentlePace.Call call = _pace.Enter(principal);
        call.Spend(ShortCall);
        return call;
    }

    /// <summary>Lets readers take every turn they are given, for some time.</summary>
    private async Task<TimeSpan> RunAsync(Reader[] readers, TimeSpan span)
    {
        TimeSpan step = TimeSpan.FromMilliseconds(0.5);
        for (TimeSpan elapsed = TimeSpan.Zero; elapsed < span; elapsed += step)
        {
            foreach (Reader reader in readers)
            {
                await reader.TakeTurnsAsync();
            }

            _time.Advance(step);
        }

        return span;
    }

    /// <summary>A scan whose native calls take 0.1 ms each, or pages of one such call.</summary>
    private sealed class Reader(GentlePace pace, string principal, bool isPaging = false)
    {
        private static readonly TimeSpan NativeCall = TimeSpan.FromMilliseconds(0.1);

        private GentlePace.Call _call = pace.Enter(principal);
        private Task<TimeSpan> _wait = Task.FromResult(TimeSpan.Zero);
        private bool _isWaiting;

        public TimeSpan Spent { get; private set; }

        public async Task TakeTurnsAsync()
        {
            while (true)
            {
                if (!_isWaiting)
                {
                    _wait = _call.WaitAsync(TimeSpan.FromHours(1), Cancelled).AsTask();
                    _isWaiting = true;
                }

                if (!_call.HasTurn)
                {
                    return;
                }

                await _wait; // on its way: the turn is given before whoever waits for it is woken
                _isWaiting = false;
                _call.Spend(NativeCall);
                Spent += NativeCall;
                if (isPaging)
                {
                    _call.Dispose();
                    _call = pace.Enter(principal);
                }
            }
        }
    }
}
