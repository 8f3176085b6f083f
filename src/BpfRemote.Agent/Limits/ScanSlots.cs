using BpfRemote.Agent.Errors;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Limits;

/// <summary>Bounds the scans that run at once, in all and of one principal; the next one is turned away, never queued.</summary>
/// <remarks>Streams of GetBtf count as scans: they hold memory for as long as their reader takes.</remarks>
internal sealed class ScanSlots(AgentLimits limits, Func<string, PrincipalLimits> limitsOf)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _running = [];
    private int _free = limits.MaxConcurrentScans;

    /// <summary>Takes a slot until the lease is disposed.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED / TOO_MANY_SCANS: none is free.</exception>
    public Lease Take(string principal)
    {
        int most = limitsOf(principal).MaxConcurrentScans;
        lock (_lock)
        {
            int running = _running.GetValueOrDefault(principal);
            if (running >= most)
            {
                throw TooMany("the caller has too many scans at once", "max_scans_per_principal", most);
            }

            if (_free == 0)
            {
                throw TooMany("too many scans at once", "max_concurrent_scans", limits.MaxConcurrentScans);
            }

            _running[principal] = running + 1;
            _free--;
        }

        return new Lease(this, principal);
    }

    private static RpcException TooMany(string message, string limit, int value) => ServiceError.CreateRetryable(
        StatusCode.ResourceExhausted, ErrorReason.TooManyScans, message, RetryAfter, (limit, $"{value}"));

    private void Return(string principal)
    {
        lock (_lock)
        {
            _free++;
            if (--_running[principal] == 0)
            {
                _running.Remove(principal);
            }
        }
    }

    /// <summary>A slot in use.</summary>
    public readonly struct Lease(ScanSlots slots, string principal) : IDisposable
    {
        /// <summary>Gives the slot back.</summary>
        public void Dispose() => slots.Return(principal);
    }
}
