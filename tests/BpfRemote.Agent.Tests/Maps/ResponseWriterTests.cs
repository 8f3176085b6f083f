using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps;
using BpfRemote.V1;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BpfRemote.Agent.Tests.Maps;

public sealed class ResponseWriterTests : IDisposable
{
    private static readonly AgentLimits Limits = new() { WriteTimeout = TimeSpan.FromSeconds(5), MaxStreamAge = TimeSpan.FromMinutes(15) };

    private readonly FakeTimeProvider _time = new();
    private readonly Responses _responses = new();
    private readonly CancellationTokenSource _draining = new();
    private int _evictions;

    [Fact]
    public async Task Filling_a_response_may_take_longer_than_a_write_may()
    {
        using ResponseWriter<LookupBatchResponse> writer = CreateWriter(TestContext.Current.CancellationToken);
        foreach (bool isLast in (bool[])[false, true])
        {
            Task write = writer.WriteAsync(new(), isLast).AsTask();
            _responses.Accept();
            await write;
            _time.Advance(2 * Limits.WriteTimeout);
        }

        Assert.Equal(2, _responses.Accepted);
    }

    [Fact]
    public async Task A_write_that_takes_too_long_is_the_readers_fault()
    {
        using ResponseWriter<LookupBatchResponse> writer = CreateWriter(TestContext.Current.CancellationToken);
        Task write = writer.WriteAsync(new(), isLast: false).AsTask();
        _time.Advance(Limits.WriteTimeout);
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => write);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Equal(1, _evictions);
    }

    [Fact]
    public async Task A_blocked_write_does_not_hold_up_the_end_of_the_agent()
    {
        using ResponseWriter<LookupBatchResponse> writer = CreateWriter(TestContext.Current.CancellationToken);
        Task write = writer.WriteAsync(new(), isLast: false).AsTask();
        await _draining.CancelAsync();
        Assert.Equal(0, _evictions);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<RpcException>(() => write);
        Assert.Equal(1, _evictions);
    }

    [Fact]
    public async Task A_client_that_has_gone_cancels_and_does_not_fail()
    {
        using CancellationTokenSource callEnded = new();
        using ResponseWriter<LookupBatchResponse> writer = CreateWriter(callEnded.Token);
        Task write = writer.WriteAsync(new(), isLast: false).AsTask();
        await callEnded.CancelAsync();
        _responses.Fail(new InvalidOperationException("the request is complete"));
        await Assert.ThrowsAsync<OperationCanceledException>(() => write);
    }

    [Fact]
    public async Task A_stream_ends_at_its_age_after_the_response_in_hand()
    {
        using ResponseWriter<LookupBatchResponse> writer = CreateWriter(TestContext.Current.CancellationToken);
        _time.Advance(Limits.MaxStreamAge);
        Task write = writer.WriteAsync(new(), isLast: false).AsTask();
        _responses.Accept();
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => write);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Equal(1, _responses.Accepted);
    }

    [Fact]
    public async Task The_last_response_ends_a_stream_well_at_any_age()
    {
        using ResponseWriter<LookupBatchResponse> writer = CreateWriter(TestContext.Current.CancellationToken);
        _time.Advance(Limits.MaxStreamAge);
        Task write = writer.WriteAsync(new(), isLast: true).AsTask();
        _responses.Accept();
        await write;
        Assert.Equal(1, _responses.Accepted);
    }

    public void Dispose() => _draining.Dispose();

    private ResponseWriter<LookupBatchResponse> CreateWriter(CancellationToken callEnded) =>
        new(_responses, Limits, _time, () => _evictions++, _draining.Token, callEnded);

    /// <summary>A reader that takes a response when it is told to.</summary>
    private sealed class Responses : IServerStreamWriter<LookupBatchResponse>
    {
        private TaskCompletionSource _write = new();

        public int Accepted { get; private set; }

        public WriteOptions? WriteOptions { get; set; }

        public void Accept()
        {
            Accepted++;
            _write.SetResult();
        }

        public void Fail(Exception error) => _write.SetException(error);

        public Task WriteAsync(LookupBatchResponse message) => WriteAsync(message, CancellationToken.None);

        public async Task WriteAsync(LookupBatchResponse message, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _write = new TaskCompletionSource();
            await _write.Task.WaitAsync(cancellationToken);
        }
    }
}
