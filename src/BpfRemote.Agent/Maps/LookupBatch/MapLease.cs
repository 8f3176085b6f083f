using BpfRemote.Agent.Errors;
using BpfRemote.Libbpf;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>The map of a scan, open while it is read.</summary>
/// <remarks>An open file descriptor of a prog_array keeps the kernel from clearing its tail calls when their owner exits, so that
/// one is open only while a response is filled, never while one is written.</remarks>
internal sealed class MapLease(IBpfMap map, MapResolver maps) : IDisposable
{
    private IBpfMap? _map = map;

    /// <summary>The map's id.</summary>
    public uint MapId { get; } = map.Info.Id;

    /// <summary>Whether the map must be closed before anything is written.</summary>
    public bool IsBrief { get; } = map.Info.Type == BpfMapType.ProgArray;

    /// <summary>The map, opened again where it was closed.</summary>
    /// <exception cref="RpcException">FAILED_PRECONDITION / MAP_REPLACED: it is gone by now.</exception>
    public IBpfMap Map => _map ??= maps.TryOpenById(MapId) ?? throw ServiceError.MapReplaced();

    /// <summary>Closes the map where it must not stay open.</summary>
    public void Release()
    {
        if (IsBrief)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _map?.Dispose();
        _map = null;
    }
}
