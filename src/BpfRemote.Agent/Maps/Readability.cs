using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps;

/// <summary>How a map can be read through this agent: what its layout allows, within the agent's limits.</summary>
/// <param name="Method">The way it is read.</param>
/// <param name="Guarantee">What a scan promises.</param>
/// <param name="Obstacle">Why it cannot be read at all; UNSPECIFIED where it can.</param>
/// <param name="Reason">The same in words, or why it can be read only in part.</param>
internal sealed record Readability(ReadMethod Method, Guarantee Guarantee, ErrorReason Obstacle, string Reason)
{
    /// <summary>Keys beyond this many bytes are not walked by key: the position would not fit a token.</summary>
    private const uint MaxWalkedKeySize = 512;

    /// <summary>Bytes of a request that are not keys: selector and framing.</summary>
    private const uint RequestOverhead = 4_608;

    /// <summary>Works out how a map can be read.</summary>
    public static Readability Of(MapLayout layout)
    {
        if (layout.Method == ScanMethod.None)
        {
            return Obstructed(ErrorReason.MapNotReadable, layout.Reason);
        }

        if (layout.EntrySize > AgentLimits.MaxResponseBytes)
        {
            return Obstructed(
                ErrorReason.EntryTooLarge,
                $"an entry has {layout.EntrySize} bytes, a response at most {AgentLimits.MaxResponseBytes}");
        }

        if (layout is { Method: ScanMethod.KeyWalk, KeySize: > MaxWalkedKeySize })
        {
            return Obstructed(
                ErrorReason.KeyTooLarge,
                $"a map walked by key can have keys of at most {MaxWalkedKeySize} bytes, these have {layout.KeySize}");
        }

        (ReadMethod method, Guarantee guarantee) = layout.Method switch
        {
            ScanMethod.Buckets or ScanMethod.Trie => (ReadMethod.Batch, Guarantee.ExactlyOnce),
            ScanMethod.BatchByIndex => (ReadMethod.Batch, Guarantee.Indexed),
            ScanMethod.ElementByIndex => (ReadMethod.PerElement, Guarantee.Indexed),
            ScanMethod.KeyWalk => (ReadMethod.PerElement, Guarantee.BestEffort),
            ScanMethod.Peek => (ReadMethod.Peek, Guarantee.Sample),
            _ => throw new InvalidOperationException($"scan method {layout.Method} has no guarantee"),
        };
        return new Readability(method, guarantee, ErrorReason.Unspecified, layout.Reason);
    }

    /// <summary>The most keys that one lookup may ask of a map: what fits request and response.</summary>
    public static uint MaxLookupKeys(MapLayout layout) =>
        !layout.IsKeyed || layout.ValueStride == 0 || Of(layout).Obstacle != ErrorReason.Unspecified
            ? 0
            : Math.Min(
                AgentLimits.MaxLookupKeys,
                Math.Min(
                    (AgentLimits.MaxRequestBytes - RequestOverhead) / layout.KeySize,
                    AgentLimits.MaxResponseBytes / layout.ValueStride));

    /// <summary>Throws where the map cannot be read.</summary>
    /// <exception cref="RpcException">FAILED_PRECONDITION with the obstacle as its reason.</exception>
    public void Demand(MapInfo info, MapLayout layout)
    {
        if (Obstacle != ErrorReason.Unspecified)
        {
            throw ServiceError.Create(
                StatusCode.FailedPrecondition,
                Obstacle,
                Reason,
                ("type", BpfTypeNames.OfMap(info.Type)),
                ("key_size", $"{layout.KeySize}"),
                ("entry_size", $"{layout.EntrySize}"));
        }
    }

    private static Readability Obstructed(ErrorReason obstacle, string reason) =>
        new(ReadMethod.None, Guarantee.Unspecified, obstacle, reason);
}
