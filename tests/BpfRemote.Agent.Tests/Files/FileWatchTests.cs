using System.Threading.Channels;
using BpfRemote.Agent.Files;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BpfRemote.Agent.Tests.Files;

public sealed class FileWatchTests
{
    [Fact]
    public async Task Files_are_looked_at_every_five_seconds_and_nothing_is_reopened_for_that()
    {
        StartedTimers time = new();
        Watched file = new();
        int hangups = 0;
        using FileWatch watch = new([file], () => hangups++, brokerHangups: null, time);
        await watch.StartAsync(TestContext.Current.CancellationToken);
        await time.First.WaitAsync(TestContext.Current.CancellationToken);
        for (int look = 0; look < 3; look++)
        {
            time.Advance(FileWatch.Interval - TimeSpan.FromTicks(1));
            Assert.Equal(0, file.Looks.Reader.Count);
            time.Advance(TimeSpan.FromTicks(1));
            await file.Looks.Reader.ReadAsync(TestContext.Current.CancellationToken);
        }

        await watch.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, hangups);
        Assert.Equal(TimeSpan.FromSeconds(5), FileWatch.Interval);
    }

    [Fact]
    public async Task Its_end_is_no_failure_also_without_a_stop()
    {
        StartedTimers time = new();
        FileWatch watch = new([], () => { }, brokerHangups: null, time);
        await watch.StartAsync(TestContext.Current.CancellationToken);
        await time.First.WaitAsync(TestContext.Current.CancellationToken);

        watch.Dispose();

        await watch.ExecuteTask!.WaitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A clock that says when it is first waited for.</summary>
    private sealed class StartedTimers : FakeTimeProvider
    {
        private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task First => _first.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            _first.TrySetResult();
            return timer;
        }
    }

    private sealed class Watched : IReloadedFile
    {
        public Channel<bool> Looks { get; } = Channel.CreateUnbounded<bool>();

        public void Refresh() => Looks.Writer.TryWrite(true);
    }
}
