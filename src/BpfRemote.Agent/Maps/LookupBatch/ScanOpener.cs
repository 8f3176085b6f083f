using BpfRemote.Agent.Access;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Maps.LookupBatch.Scans;
using BpfRemote.Agent.Tokens;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>Opens the map of a request and puts a scan where the request wants it: at the start, or where its token continues.</summary>
internal sealed class ScanOpener(IMapSource source, MapResolver maps, TokenSealer tokens)
{
    /// <summary>Opens map and scan.</summary>
    /// <exception cref="RpcException">The token's or the map's fault, each with its own reason.</exception>
    public OpenedScan Open(LookupBatchQuery query, CallAccess access, CancellationToken cancellationToken)
    {
        if (query.Token.Length > 0)
        {
            return Continue(ReadTicket(query.Token), query, access, cancellationToken);
        }

        MapSelector selector = query.Map!;
        IBpfMap map = maps.Open(selector, access);
        try
        {
            access.DemandRead(map.Info, MapResolver.PinOf(selector), atFullPace: !query.Gentle);
            Readability.Of(map.Layout).Demand(map.Info, map.Layout);
            PinReference pin = selector.HasPinnedPath ? PinReference.To(selector.PinnedPath) : PinReference.None;
            return new OpenedScan(map, MapScan.Start(map), pin, EntriesBefore: 0, ScanTicket.NewScanId());
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    private static RpcException TokenInvalid(string message) =>
        ServiceError.Create(StatusCode.InvalidArgument, ErrorReason.TokenInvalid, message);

    private static RpcException TokenExpired(string message) =>
        ServiceError.Create(StatusCode.FailedPrecondition, ErrorReason.TokenExpired, message);

    private static RpcException MapReplaced(uint? newMapId = null) => newMapId is null
        ? ServiceError.MapReplaced()
        : ServiceError.Create(
            StatusCode.FailedPrecondition,
            ErrorReason.MapReplaced,
            "the pin of the map that the token continues leads to another map now",
            ("new_map_id", $"{newMapId}"));

    private ScanTicket ReadTicket(string token)
    {
        Span<byte> payload = stackalloc byte[TokenSealer.MaxPayload];
        ScanTicket? ticket = tokens.TryOpen(TokenPurpose.Continuation, token, payload, out int length) switch
        {
            TokenOpening.Opened => ScanTicket.Read(payload[..length]),
            TokenOpening.Expired => null,
            _ => throw TokenInvalid("continuation_token is not one that this agent gave; send one unchanged, or none to begin"),
        };
        return ticket is { } known && known.BootId == source.Node.BootId
            ? known
            : throw TokenExpired("continuation_token is of another boot, key or version; begin anew");
    }

    private OpenedScan Continue(ScanTicket ticket, LookupBatchQuery query, CallAccess access, CancellationToken cancellationToken)
    {
        (IBpfMap map, string? pin) = OpenMap(ticket, query.Map, access, cancellationToken);
        try
        {
            DemandSameMap(map, ticket, query.Map, access);
            access.DemandRead(map.Info, pin, atFullPace: !query.Gentle);
            Readability.Of(map.Layout).Demand(map.Info, map.Layout);
            return map.Layout.Method != ticket.Method
                ? throw TokenExpired("this agent reads the map in another way than the one that gave the token; begin anew")
                : new OpenedScan(
                    map,
                    MapScan.Resume(map, ticket.Position.Span, ticket.Restarts)
                        ?? throw TokenInvalid("continuation_token holds a position that this map does not have"),
                    ticket.Pin,
                    ticket.Entries,
                    ticket.ScanId);
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    /// <summary>The map of a token, and the pin that it was opened through, for a caller who may list it.</summary>
    private (IBpfMap Map, string? Pin) OpenMap(
        ScanTicket ticket, MapSelector? selector, CallAccess access, CancellationToken cancellationToken)
    {
        if (selector is { HasId: true } && selector.Id != ticket.MapId)
        {
            throw TokenInvalid("continuation_token continues another map than `map` names");
        }

        string? path = PathOf(ticket.Pin, selector, cancellationToken);
        IBpfMap? pinned = path is null ? null : maps.TryOpenPinned(path);
        if (pinned is not null && pinned.Info.Id != ticket.MapId)
        {
            using IBpfMap? other = MapResolver.Visible(pinned, path, access);
            throw MapReplaced(other?.Info.Id);
        }

        string? pin = pinned is null ? null : path;
        return (MapResolver.Visible(pinned ?? maps.TryOpenById(ticket.MapId), pin, access) ?? throw MapReplaced(), pin);
    }

    private void DemandSameMap(IBpfMap map, ScanTicket ticket, MapSelector? selector, CallAccess access)
    {
        if (ScanTicket.ShapeOf(map.Info) != ticket.Shape)
        {
            throw MapReplaced();
        }

        bool isSelected = selector switch
        {
            { HasName: true } => map.Info.Name == selector.Name,
            { HasPinnedPath: true } => ticket.Pin.RefersTo(selector.PinnedPath) || LeadsTo(selector, map.Info.Id, access),
            _ => true,
        };
        if (!isSelected)
        {
            throw TokenInvalid("continuation_token continues another map than `map` names");
        }
    }

    private bool LeadsTo(MapSelector selector, uint mapId, CallAccess access)
    {
        using IBpfMap map = maps.Open(selector, access);
        return map.Info.Id == mapId;
    }

    /// <summary>The path of a token's pin: as the token says, as the request says, or as bpffs says where the token had no room.</summary>
    private string? PathOf(PinReference pin, MapSelector? selector, CancellationToken cancellationToken)
    {
        if (pin.Digest.IsEmpty || pin.Path is not null)
        {
            return pin.Path;
        }

        return selector is { HasPinnedPath: true } && pin.RefersTo(selector.PinnedPath)
            ? selector.PinnedPath
            : source.ReadPins(cancellationToken).ByMapId.Values.SelectMany(paths => paths).FirstOrDefault(pin.RefersTo);
    }
}

/// <summary>A map and a scan that stands where the request wants it.</summary>
/// <param name="Map">The map, to be disposed.</param>
/// <param name="Scan">The scan.</param>
/// <param name="Pin">The pin that selected the map.</param>
/// <param name="EntriesBefore">Entries that the scan gave in earlier calls.</param>
/// <param name="ScanId">Names the scan over all its calls.</param>
internal sealed record OpenedScan(IBpfMap Map, MapScan Scan, PinReference Pin, ulong EntriesBefore, ulong ScanId);
