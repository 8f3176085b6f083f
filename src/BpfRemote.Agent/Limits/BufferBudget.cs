using BpfRemote.Agent.Errors;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Limits;

/// <summary>Bounds the bytes that answers in the making and answers not yet taken hold, in all.</summary>
/// <remarks>
/// What an ordinary scan needs is set aside for every scan that may run, so that none is turned away because of another's large
/// entries. Of the rest nobody may hold more than what they leave free: one principal gets half, two get a third each, and whoever
/// comes next always finds something.
/// </remarks>
internal sealed class BufferBudget(AgentLimits limits)
{
    /// <summary>Bytes set aside for each scan: three responses of the aimed size, in arrays of the pool's sizes.</summary>
    public const int ScanReserve = 6 * AgentLimits.TargetResponseBytes;

    /// <summary>The same for each second reader of a scan: thirteen responses.</summary>
    public const int ReaderReserve = 26 * AgentLimits.TargetResponseBytes;

    /// <summary>Bytes of two responses of the largest size, in arrays of the pool's sizes.</summary>
    public const int LargestScan = 16 * 1024 * 1024;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _held = [];
    private long _free = limits.MaxBufferBytes - ReservedBy(limits.MaxConcurrentScans);

    /// <summary>Bytes set aside for so many scans.</summary>
    public static long ReservedBy(int scans) => ((long)scans * ScanReserve) + ((long)SpareReaders.Most * ReaderReserve);

    /// <summary>Opens the account of a scan, which has a slot.</summary>
    public BufferAccount OpenScan(string principal) => new(this, principal, ScanReserve);

    /// <summary>Takes bytes from what is shared, before they are allocated where their number is known by then.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED / BUFFERS_EXHAUSTED.</exception>
    public void Take(string principal, long bytes)
    {
        lock (_lock)
        {
            long held = _held.GetValueOrDefault(principal) + bytes;
            if (held > _free - bytes)
            {
                throw ServiceError.CreateRetryable(
                    StatusCode.ResourceExhausted,
                    ErrorReason.BuffersExhausted,
                    "answers in flight hold too much memory",
                    RetryAfter,
                    ("max_buffer_bytes", $"{limits.MaxBufferBytes}"));
            }

            _held[principal] = held;
            _free -= bytes;
        }
    }

    /// <summary>Gives shared bytes back.</summary>
    public void Give(string principal, long bytes)
    {
        lock (_lock)
        {
            _free += bytes;
            long held = _held.GetValueOrDefault(principal) - bytes; // an empty answer holds nothing, and may be the last to leave
            if (held == 0)
            {
                _held.Remove(principal);
            }
            else
            {
                _held[principal] = held;
            }
        }
    }
}

/// <summary>The bytes that one call holds.</summary>
/// <param name="budget">What is shared.</param>
/// <param name="principal">Whose call it is.</param>
/// <param name="reserve">Bytes that are set aside for the call.</param>
internal sealed class BufferAccount(BufferBudget budget, string principal, long reserve)
{
    private readonly Lock _lock = new();
    private long _reserve = reserve;
    private long _held;

    /// <summary>Sets more bytes aside: the call got a second reader.</summary>
    public void Reserve(long bytes)
    {
        lock (_lock)
        {
            _reserve += bytes;
        }
    }

    /// <summary>Takes bytes before they are allocated.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED / BUFFERS_EXHAUSTED.</exception>
    public void Take(long bytes) => Change(bytes);

    /// <summary>Gives bytes back that are in use no more.</summary>
    public void Give(long bytes) => Change(-bytes);

    private void Change(long bytes)
    {
        lock (_lock)
        {
            long beyond = Math.Max(_held + bytes - _reserve, 0) - Math.Max(_held - _reserve, 0);
            if (beyond > 0)
            {
                budget.Take(principal, beyond);
            }
            else if (beyond < 0)
            {
                budget.Give(principal, -beyond);
            }

            _held += bytes;
        }
    }
}
