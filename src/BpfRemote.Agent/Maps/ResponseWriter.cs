using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps;

/// <summary>Writes the responses of a stream one at a time, each while the next is made; a reader that stalls, and a stream that is too old, end.</summary>
internal sealed class ResponseWriter<T>(
    IServerStreamWriter<T> responses, AgentLimits limits, TimeProvider time, CancellationToken callEnded)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource _stalled = new(Timeout.InfiniteTimeSpan, time);
    private readonly long _start = time.GetTimestamp();
    private Task _write = Task.CompletedTask;

    /// <summary>Waits for the write before and begins this one.</summary>
    /// <param name="response">The response, which must rest until the next call of this or of <see cref="CompleteAsync"/> is over.</param>
    /// <param name="isLast">Whether no other follows: then the stream ends by itself, whatever its age.</param>
    /// <exception cref="RpcException">UNAVAILABLE: WRITE_TIMEOUT, STREAM_AGE.</exception>
    public async Task BeginWriteAsync(T response, bool isLast)
    {
        await CompleteAsync();
        _write = WriteAsync(response);
        if (time.GetElapsedTime(_start) >= limits.MaxStreamAge && !isLast)
        {
            await CompleteAsync();
            throw ServiceError.Create(StatusCode.Unavailable, ErrorReason.StreamAge, "the stream reached its age; resume with the last token");
        }
    }

    /// <summary>Waits until the last response is written.</summary>
    /// <exception cref="RpcException">UNAVAILABLE / WRITE_TIMEOUT.</exception>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public async Task CompleteAsync()
    {
        try
        {
            await _write;
        }
        catch (Exception e) when (_stalled.IsCancellationRequested && e is (OperationCanceledException or InvalidOperationException or IOException))
        {
            throw ServiceError.Create(StatusCode.Unavailable, ErrorReason.WriteTimeout, "the reader took too long to take a response");
        }
        catch (Exception e) when (callEnded.IsCancellationRequested && e is (InvalidOperationException or IOException))
        {
            // Clients go away all the time: that is no failure of the agent's.
            throw new OperationCanceledException(e.Message, e, callEnded);
        }
    }

    /// <summary>Waits until nothing reads the last response any more, however its write ends.</summary>
    public async ValueTask DisposeAsync()
    {
        await _write.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stalled.Dispose();
    }

    private async Task WriteAsync(T response)
    {
        _stalled.CancelAfter(limits.WriteTimeout);
        await responses.WriteAsync(response, _stalled.Token);

        // Not later: making the next response may take longer than a write may.
        _stalled.CancelAfter(Timeout.InfiniteTimeSpan);
    }
}
