using BpfRemote.Agent.Access;
using BpfRemote.Agent.Tokens;
using BpfRemote.Libbpf;
using BpfRemote.V1;

namespace BpfRemote.Agent.Maps.ListMaps;

/// <summary>Serves ListMaps: one page of the maps that the caller may see, by id.</summary>
internal sealed class ListMapsHandler(IMapSource source, MapResolver maps, TokenSealer tokens)
{
    /// <summary>Bytes after which a page ends: maps with many users are large, and gRPC clients take 4 MiB by default.</summary>
    private const int MaxPageBytes = 1 << 20;

    /// <summary>Answers one call.</summary>
    public ListMapsResponse Handle(ListMapsRequest request, CallAccess access, CancellationToken cancellationToken)
    {
        ListMapsQuery query = ListMapsQuery.Parse(request, tokens);
        MapUse? use = query.IsFull ? MapUse.Read(source, cancellationToken) : null;
        PinnedMaps? pins = use?.Pins ?? (query.PinnedPath is null ? null : source.ReadPins(cancellationToken));
        ListMapsResponse page = new();
        int bytes = 0;
        foreach (IBpfMap map in maps.OpenAll(query.After))
        {
            using (map)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!IsWanted(map.Info, query, pins) || !access.MayList(map.Info))
                {
                    continue;
                }

                if (page.Maps.Count == query.PageSize || bytes >= MaxPageBytes)
                {
                    page.NextPageToken = query.PageTokenAfter(page.Maps[^1].Id, tokens);
                    break;
                }

                Map description = MapDescription.Of(map);
                use?.AddTo(description);
                page.Maps.Add(description);
                bytes += description.CalculateSize();
            }
        }

        return page;
    }

    private static bool IsWanted(MapInfo map, ListMapsQuery query, PinnedMaps? pins) =>
        (query.Types.Count == 0 || query.Types.Contains((MapType)map.Type))
        && query.Name?.Fits(map.Name) != false
        && (query.PinnedPath is not { } glob || pins?.Of(map.Id).Any(glob.Fits) == true);
}
