using BpfRemote.Agent.Access;
using BpfRemote.Agent.Access.Policy;
using BpfRemote.Libbpf;
using Grpc.Core;

namespace BpfRemote.Agent.Audit;

/// <summary>What the audit log says of one call. Never values, keys or tokens.</summary>
/// <param name="caller">Who calls.</param>
/// <param name="method">The RPC: <c>/bpfremote.v1.MapService/LookupBatch</c>.</param>
internal sealed class CallRecord(Caller caller, string method)
{
    /// <summary>Names the call: its lines carry the same.</summary>
    public ulong CallId { get; } = (ulong)Random.Shared.NextInt64();

    /// <summary>Who calls.</summary>
    public Caller Caller => caller;

    /// <summary>The RPC.</summary>
    public string Method => method;

    /// <summary>Names the scan over all its calls, as its tokens do; 0 where the call is no scan.</summary>
    public ulong ScanId { get; set; }

    /// <summary>The map that the call is about; null for none.</summary>
    public MapInfo? Map { get; private set; }

    /// <summary>The pin that the map was opened through; null for none.</summary>
    public string? Pin { get; private set; }

    /// <summary>The rule that allowed the call; null where none did.</summary>
    public string? Rule { get; private set; }

    /// <summary>Whether the policy let the call through so far.</summary>
    public bool IsAllowed { get; private set; } = true;

    /// <summary>Entries sent.</summary>
    public ulong Entries { get; set; }

    /// <summary>Bytes of keys, values and BTF sent.</summary>
    public ulong Bytes { get; set; }

    /// <summary>Time spent inside native calls.</summary>
    public TimeSpan KernelTime { get; set; }

    /// <summary>How the call ended.</summary>
    public StatusCode Status { get; set; }

    /// <summary>Takes down what was decided on a map.</summary>
    /// <param name="map">The map.</param>
    /// <param name="pin">The pin that it was opened through; null for none.</param>
    /// <param name="rule">The rule that allows it; null where none does.</param>
    public void Decide(MapInfo map, string? pin, AccessRule? rule)
    {
        Map = map;
        Pin = pin;
        Rule = rule?.Name;
        IsAllowed = rule is not null;
    }

    /// <summary>Takes down that the caller was turned away.</summary>
    public void TurnAway() => IsAllowed = false;
}
