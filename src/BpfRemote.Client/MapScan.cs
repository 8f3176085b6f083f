using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Client;

/// <summary>
/// A scan of a map, over as many calls as it takes. It begins when it is enumerated, anew each time, and ends without an
/// exception only when it is complete or <see cref="ScanOptions.Limit"/> stopped it.
/// </summary>
/// <remarks>
/// An interrupted scan (agent unavailable or restarted, connection reset) is continued after the last batch the caller was done
/// with, that is, had asked for the one after; so is a scan that the agent asked to wait. Entries are not repeated by that.
/// </remarks>
public sealed class MapScan : IAsyncEnumerable<MapBatch>
{
    private readonly CallInvoker _invoker;
    private readonly BpfRemoteClientOptions _clientOptions;
    private readonly BpfRemoteClientOptions? _agent;
    private readonly LookupBatchRequest _request;
    private readonly Action<ScanResume>? _onResume;

    internal MapScan(
        CallInvoker invoker,
        BpfRemoteClientOptions clientOptions,
        BpfRemoteClientOptions? agent,
        MapSelector? map,
        ScanOptions options)
    {
        _invoker = invoker;
        _clientOptions = clientOptions;
        _agent = agent;
        _onResume = options.OnResume;
        _request = new()
        {
            Map = map?.Clone(),
            ContinuationToken = options.ContinuationToken ?? "",
            BatchSize = options.BatchSize,
            Limit = options.Limit,
            Pace = options.Pace,
            Include = options.Include,
        };
    }

    /// <summary>Begins the scan.</summary>
    /// <param name="cancellationToken">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <returns>The batches.</returns>
    /// <exception cref="BpfRemoteException">While enumerating: the scan failed, and is not complete.</exception>
    public async IAsyncEnumerator<MapBatch> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        ScanProgress progress = new(_request.Clone());
        for (int tries = 0; ;)
        {
            RpcFailure? failure = null;
            progress.BeginCall();
            using AsyncServerStreamingCall<LookupBatchResponse> call = _invoker.AsyncServerStreamingCall(
                LookupBatchMethod.Instance, host: null, new CallOptions(cancellationToken: cancellationToken), progress.Request);
            while (true)
            {
                try
                {
                    if (!await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
                    {
                        break;
                    }
                }
                catch (RpcException error)
                {
                    failure = new(error);
                    break;
                }

                MapBatch batch = progress.Accept(call.ResponseStream.Current);
                tries = 0;
                yield return batch;

                // The caller has come back for the next batch, so is done with this one.
                progress.HandOver(batch);
            }

            if (failure is null)
            {
                progress.EndCall();
                yield break;
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (failure.IsResumable && progress.IsFinished)
            {
                yield break;
            }

            if (!failure.IsResumable || tries >= _clientOptions.MaxTriesWithoutProgress)
            {
                throw failure.ToException(_agent, progress.Token);
            }

            await WaitAsync(failure, ++tries, progress.Token, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task WaitAsync(RpcFailure failure, int tries, string? continuationToken, CancellationToken cancellationToken)
    {
        double ticks = Math.Min(_clientOptions.InitialBackoff.Ticks * Math.Pow(2, tries - 1), _clientOptions.MaxBackoff.Ticks);

        // Varied, so that the clients of a restarted agent do not return all at once.
        TimeSpan delay = TimeSpan.FromTicks((long)ticks) * (0.8 + (0.4 * Random.Shared.NextDouble()));
        if (failure.RetryAfter is { } retryAfter && retryAfter > delay)
        {
            delay = retryAfter;
        }

        _onResume?.Invoke(new(tries, delay, failure.ToException(_agent, continuationToken)));
        return Task.Delay(delay, _clientOptions.TimeProvider, cancellationToken);
    }
}
