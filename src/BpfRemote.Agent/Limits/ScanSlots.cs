using BpfRemote.Agent.Errors;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Limits;

/// <summary>Bounds the scans that run at once; the next one is turned away, never queued.</summary>
internal sealed class ScanSlots(AgentLimits limits)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private int _free = limits.MaxConcurrentScans;

    /// <summary>Takes a slot until the lease is disposed.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED / TOO_MANY_SCANS: none is free.</exception>
    public Lease Take()
    {
        if (Interlocked.Decrement(ref _free) >= 0)
        {
            return new Lease(this);
        }

        Interlocked.Increment(ref _free);
        throw ServiceError.CreateRetryable(
            StatusCode.ResourceExhausted, ErrorReason.TooManyScans, "too many scans at once", RetryAfter, ("max_concurrent_scans", $"{limits.MaxConcurrentScans}"));
    }

    /// <summary>A slot in use.</summary>
    public readonly struct Lease(ScanSlots slots) : IDisposable
    {
        /// <summary>Gives the slot back.</summary>
        public void Dispose() => Interlocked.Increment(ref slots._free);
    }
}
