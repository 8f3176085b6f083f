using BpfRemote.Agent.Limits;
using Xunit;

namespace BpfRemote.Agent.Tests.Limits;

public sealed class FineTimerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task It_is_due_when_it_was_set_to_last_and_once_each_time()
    {
        using SemaphoreSlim due = new(0);
        using FineTimer timer = new(() => due.Release());
        TimeSpan soon = TimeSpan.FromMilliseconds(5);
        for (int round = 0; round < 3; round++)
        {
            long start = TimeProvider.System.GetTimestamp();
            timer.Change(TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan);
            timer.Change(soon, Timeout.InfiniteTimeSpan);

            Assert.True(await due.WaitAsync(Patience, TestContext.Current.CancellationToken));
            Assert.True(TimeProvider.System.GetElapsedTime(start) >= soon);
        }

        Assert.Equal(0, due.CurrentCount);
    }
}
