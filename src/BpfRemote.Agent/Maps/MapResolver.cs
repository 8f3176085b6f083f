using System.Text;
using BpfRemote.Agent.Access;
using BpfRemote.Agent.Errors;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps;

/// <summary>Finds and opens the map that a selector names. For a caller, a map that it may not list is not there.</summary>
internal sealed class MapResolver(IMapSource source)
{
    private const int MaxNameBytes = 15;
    private const int MaxPathBytes = 4_095;
    private const int MaxListedIds = 50;

    /// <summary>Checks a selector.</summary>
    /// <param name="selector">The selector; null where the request has none.</param>
    /// <param name="violations">Where everything wrong with it goes.</param>
    public static void Validate(MapSelector? selector, List<FieldViolation> violations)
    {
        switch (selector?.SelectorCase)
        {
            case null or MapSelector.SelectorOneofCase.None:
                violations.Add(new("map", "names no map; expected one of id, name and pinned_path"));
                break;
            case MapSelector.SelectorOneofCase.Id when selector.Id == 0:
                violations.Add(new("map.id", "is 0; expected a map id above 0"));
                break;
            case MapSelector.SelectorOneofCase.Name when Encoding.UTF8.GetByteCount(selector.Name) is 0 or > MaxNameBytes:
                violations.Add(new("map.name", $"has {Encoding.UTF8.GetByteCount(selector.Name)} bytes; expected 1 to {MaxNameBytes}"));
                break;
            case MapSelector.SelectorOneofCase.PinnedPath when !IsPlainPath(selector.PinnedPath):
                violations.Add(new(
                    "map.pinned_path", $"expected an absolute path of at most {MaxPathBytes} bytes without empty, '.' or '..' segments"));
                break;
            default:
                break;
        }
    }

    /// <summary>Opens the map that a valid selector names, for a caller who may list it.</summary>
    /// <exception cref="RpcException">NOT_FOUND / MAP_NOT_FOUND; FAILED_PRECONDITION / MAP_NAME_AMBIGUOUS.</exception>
    public IBpfMap Open(MapSelector selector, CallAccess access) => Visible(
        selector.SelectorCase switch
        {
            MapSelector.SelectorOneofCase.Id => TryOpenById(selector.Id),
            MapSelector.SelectorOneofCase.PinnedPath => TryOpenPinned(selector.PinnedPath),
            _ => TryOpenByName(selector.Name, access),
        },
        PinOf(selector),
        access) ?? throw ServiceError.MapNotFound();

    /// <summary>The pin that a selector names; null where it selects by something else.</summary>
    public static string? PinOf(MapSelector selector) => selector.HasPinnedPath ? selector.PinnedPath : null;

    /// <summary>A map that the caller may list; null for another one, which is closed.</summary>
    /// <param name="map">The map that the call is about, as it was opened.</param>
    /// <param name="pin">The pin that it was opened through; null for none.</param>
    /// <param name="access">What the caller may do.</param>
    public static IBpfMap? Visible(IBpfMap? map, string? pin, CallAccess access)
    {
        try
        {
            if (map is null || access.MayUse(map.Info, pin))
            {
                return map;
            }
        }
        catch
        {
            map?.Dispose();
            throw;
        }

        map.Dispose();
        return null;
    }

    /// <summary>Opens a map by id; null where there is none.</summary>
    public IBpfMap? TryOpenById(uint id)
    {
        try
        {
            return source.OpenById(id);
        }
        catch (BpfException e) when (e.Errno == Errno.ENOENT)
        {
            return null;
        }
    }

    /// <summary>Opens a map by its pin; null where the path is none.</summary>
    public IBpfMap? TryOpenPinned(string path)
    {
        try
        {
            return source.OpenPinned(path);
        }
        catch (BpfException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR or Errno.EINVAL or Errno.EACCES or Errno.ELOOP or Errno.ENAMETOOLONG)
        {
            return null;
        }
        catch (BpfException e) when (e.Errno == Errno.EPERM && path.Contains('.', StringComparison.Ordinal))
        {
            // How bpffs, which keeps names with a dot for itself, says that there is none.
            return null;
        }
    }

    /// <summary>Opens every map of the node in turn, by id ascending; whoever enumerates disposes each. One that a security module
    /// keeps from the agent is passed over.</summary>
    /// <param name="after">Only ids above this.</param>
    public IEnumerable<IBpfMap> OpenAll(uint after)
    {
        foreach (uint id in source.MapIds(after))
        {
            if (TryOpenListed(id) is { } map)
            {
                yield return map;
            }
        }
    }

    private IBpfMap? TryOpenListed(uint id)
    {
        try
        {
            return TryOpenById(id);
        }
        catch (BpfException e) when (e.Errno is Errno.EACCES or Errno.EPERM)
        {
            return null;
        }
    }

    private IBpfMap? TryOpenByName(string name, CallAccess access)
    {
        List<uint> ids = [];
        foreach (IBpfMap candidate in OpenAll(after: 0))
        {
            using (candidate)
            {
                if (candidate.Info.Name == name && access.MayList(candidate.Info))
                {
                    ids.Add(candidate.Info.Id);
                }
            }
        }

        return ids switch
        {
            [] => null,
            [var id] => TryOpenById(id),
            _ => throw ServiceError.Create(
                StatusCode.FailedPrecondition,
                ErrorReason.MapNameAmbiguous,
                "the name fits several maps; select one by id or pinned path",
                ("map_ids", string.Join(',', ids.Take(MaxListedIds))),
                ("matches", $"{ids.Count}")),
        };
    }

    private static bool IsPlainPath(string path) =>
        path.StartsWith('/')
        && Encoding.UTF8.GetByteCount(path) <= MaxPathBytes
        && !path.Contains('\0', StringComparison.Ordinal)
        && !path[1..].Split('/').Any(segment => segment is "" or "." or "..");
}
