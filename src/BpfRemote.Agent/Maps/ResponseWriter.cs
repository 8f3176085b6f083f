using System.Runtime.CompilerServices;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps;

/// <summary>Writes the responses of a stream one after the other; a reader that stalls, and a stream that is too old, end.</summary>
/// <remarks>Once the agent drains, a write may take no longer than a moment: a blocked one would hold up its end.</remarks>
internal sealed class ResponseWriter<T> : IDisposable
{
    private static readonly TimeSpan DrainingWrite = TimeSpan.FromSeconds(1);

    private readonly IServerStreamWriter<T> _responses;
    private readonly AgentLimits _limits;
    private readonly TimeProvider _time;
    private readonly Action _evict;
    private readonly CancellationToken _draining;
    private readonly CancellationToken _callEnded;
    private readonly CancellationTokenRegistration _hurry;
    private readonly CancellationTokenSource _stalled;
    private readonly Lock _lock = new();
    private readonly long _start;
    private bool _isWriting;

    /// <param name="responses">Where to.</param>
    /// <param name="limits">The time one write may take, and the age of a stream.</param>
    /// <param name="time">The clock.</param>
    /// <param name="context">The call: a reader that stalls loses its connection.</param>
    /// <param name="draining">When the agent begins to end.</param>
    public ResponseWriter(
        IServerStreamWriter<T> responses, AgentLimits limits, TimeProvider time, ServerCallContext context, CancellationToken draining)
        : this(responses, limits, time, () => StalledReader.Evict(context.GetHttpContext()), draining, context.CancellationToken)
    {
    }

    /// <summary>As the other, with what ends the connection of a reader that stalls.</summary>
    public ResponseWriter(
        IServerStreamWriter<T> responses,
        AgentLimits limits,
        TimeProvider time,
        Action evict,
        CancellationToken draining,
        CancellationToken callEnded)
    {
        _responses = responses;
        _limits = limits;
        _time = time;
        _evict = evict;
        _draining = draining;
        _callEnded = callEnded;
        _start = time.GetTimestamp();
        _stalled = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _hurry = draining.Register(Hurry);
    }

    /// <summary>Writes a response.</summary>
    /// <param name="response">The response, which must rest until it is written.</param>
    /// <param name="isLast">Whether no other follows: then the stream ends by itself, whatever its age.</param>
    /// <exception cref="RpcException">UNAVAILABLE: WRITE_TIMEOUT, STREAM_AGE.</exception>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(T response, bool isLast)
    {
        try
        {
            lock (_lock)
            {
                _isWriting = true;
                _stalled.CancelAfter(
                    _draining.IsCancellationRequested && DrainingWrite < _limits.WriteTimeout ? DrainingWrite : _limits.WriteTimeout);
            }

            await _responses.WriteAsync(response, _stalled.Token);
        }
        catch (Exception e) when (_stalled.IsCancellationRequested && e is (OperationCanceledException or InvalidOperationException or IOException))
        {
            _evict();
            throw ServiceError.Create(StatusCode.Unavailable, ErrorReason.WriteTimeout, "the reader took too long to take a response");
        }
        catch (Exception e) when (_callEnded.IsCancellationRequested && e is (InvalidOperationException or IOException))
        {
            // Clients go away all the time: that is no failure of the agent's.
            throw new OperationCanceledException(e.Message, e, _callEnded);
        }
        finally
        {
            // Not later: making the next response may take longer than a write may.
            lock (_lock)
            {
                _isWriting = false;
                _stalled.CancelAfter(Timeout.InfiniteTimeSpan);
            }
        }

        if (!isLast && _time.GetElapsedTime(_start) >= _limits.MaxStreamAge)
        {
            throw ServiceError.Create(StatusCode.Unavailable, ErrorReason.StreamAge, "the stream reached its age; resume with the last token");
        }
    }

    public void Dispose()
    {
        _hurry.Dispose();
        _stalled.Dispose();
    }

    private void Hurry()
    {
        lock (_lock)
        {
            if (_isWriting && DrainingWrite < _limits.WriteTimeout)
            {
                _stalled.CancelAfter(DrainingWrite);
            }
        }
    }
}
