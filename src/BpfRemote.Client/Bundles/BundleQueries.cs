using System.Globalization;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Maps;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Client;

/// <summary>Answers what a bundle has, as its agent would have.</summary>
internal sealed class BundleQueries(Bundle bundle)
{
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 1_000;
    private const int MaxListedIds = 50;

    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public ListMapsResponse List(ListMapsRequest request)
    {
        Glob? name = ParseGlob("name_glob", request.NameGlob, isPath: false);
        Glob? path = ParseGlob("pinned_path_glob", request.PinnedPathGlob, isPath: true);
        int size = request.PageSize switch
        {
            < 0 => throw ServiceError.InvalidFields([new("page_size", $"is {request.PageSize}; expected 0 (the default) or more")]),
            0 => DefaultPageSize,
            _ => Math.Min(request.PageSize, MaxPageSize),
        };
        uint after = 0;
        if (request.PageToken.Length > 0 && !uint.TryParse(request.PageToken, NumberStyles.None, CultureInfo.InvariantCulture, out after))
        {
            throw ServiceError.Create(
                StatusCode.InvalidArgument, ErrorReason.PageTokenInvalid, "page_token is not one that this bundle gave");
        }

        Map[] found =
        [
            .. bundle.Maps.Where(map => map.Id > after
                    && (request.Types_.Count == 0 || request.Types_.Contains(map.Type))
                    && name?.Fits(map.Name) != false
                    && (path is null || map.PinnedPaths.Any(path.Fits)))
                .Take(size + 1),
        ];
        return new()
        {
            Maps = { found.Take(size).Select(map => Show(map, request.View)) },
            NextPageToken = found.Length > size ? $"{found[size - 1].Id}" : "",
        };
    }

    /// <exception cref="RpcException">NOT_FOUND / MAP_NOT_FOUND; FAILED_PRECONDITION / MAP_NAME_AMBIGUOUS; INVALID_ARGUMENT.</exception>
    public GetMapResponse Get(GetMapRequest request) => new() { Map = Show(Find(request.Map), request.View) };

    /// <summary>The map that a selector names.</summary>
    /// <exception cref="RpcException">NOT_FOUND / MAP_NOT_FOUND; FAILED_PRECONDITION / MAP_NAME_AMBIGUOUS; INVALID_ARGUMENT.</exception>
    public Map Find(MapSelector? selector)
    {
        Map[] found = selector?.SelectorCase switch
        {
            MapSelector.SelectorOneofCase.Id => bundle.MapsById.TryGetValue(selector.Id, out Map? map) ? [map] : [],
            MapSelector.SelectorOneofCase.Name => [.. bundle.Maps.Where(map => map.Name == selector.Name)],
            MapSelector.SelectorOneofCase.PinnedPath => [.. bundle.Maps.Where(map => map.PinnedPaths.Contains(selector.PinnedPath))],
            _ => throw ServiceError.InvalidFields([new("map", "names no map; expected one of id, name and pinned_path")]),
        };
        return found switch
        {
            [] => throw ServiceError.MapNotFound(),
            [var map] => map,
            _ => throw ServiceError.Create(
                StatusCode.FailedPrecondition,
                ErrorReason.MapNameAmbiguous,
                "the name fits several maps; select one by id or pinned path",
                ("map_ids", string.Join(',', found.Take(MaxListedIds).Select(static map => map.Id)))),
        };
    }

    private static Map Show(Map map, MapView view)
    {
        Map shown = map.Clone();
        if (view != MapView.Full)
        {
            shown.PinnedPaths.Clear();
            shown.Programs.Clear();
            shown.Owners.Clear();
            shown.OwnersComplete = false;
        }

        return shown;
    }

    private static Glob? ParseGlob(string field, string pattern, bool isPath) => pattern.Length == 0
        ? null
        : Glob.TryParse(pattern, isPath, out string error) ?? throw ServiceError.InvalidFields([new(field, error)]);
}
