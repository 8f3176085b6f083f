using BpfRemote.Agent.Errors;
using BpfRemote.Libbpf;
using BpfRemote.V1;

namespace BpfRemote.Agent.Maps;

/// <summary>Describes maps as the contract does.</summary>
internal static class MapDescription
{
    /// <summary>View BASIC: what the kernel says of the map itself.</summary>
    public static Map Of(IBpfMap map)
    {
        MapInfo info = map.Info;
        Readability readability = Readability.Of(map.Layout);
        return new Map
        {
            Id = info.Id,
            Name = info.Name,
            Type = (MapType)info.Type,
            TypeName = BpfTypeNames.OfMap(info.Type),
            KeySize = info.KeySize,
            ValueSize = info.ValueSize,
            ValueStride = map.Layout.ValueStride,
            MaxEntries = info.MaxEntries,
            Flags = info.Flags,
            MapExtra = info.MapExtra,
            Frozen = info.Frozen,
            MemlockBytes = info.MemlockBytes,
            BtfId = info.BtfId,
            BtfKeyTypeId = info.BtfKeyTypeId,
            BtfValueTypeId = info.BtfValueTypeId,
            BtfVmlinuxValueTypeId = info.BtfVmlinuxValueTypeId,
            Ifindex = info.InterfaceIndex,
            NetnsDev = info.NetnsDevice,
            NetnsIno = info.NetnsInode,
            OwnerProgType = info.OwnerProgType is { } type ? BpfTypeNames.OfProgram(type) : "",
            OwnerJited = info.OwnerJited,
            ValueKind = ValueKindOf(map.Layout),
            ReadSupport = new ReadSupport
            {
                ReadMethod = readability.Method,
                Guarantee = readability.Guarantee,
                Reason = readability.Obstacle == ErrorReason.Unspecified
                    ? readability.Reason
                    : $"{ServiceError.NameOf(readability.Obstacle)}: {readability.Reason}",
            },
            MaxLookupKeys = Readability.MaxLookupKeys(map.Layout),
        };
    }

    /// <summary>The shape of entries, with the node's clocks as they are now.</summary>
    public static Layout LayoutOf(IBpfMap map, IMapSource source)
    {
        NodeClocks clocks = source.ReadClocks();
        Readability readability = Readability.Of(map.Layout);
        Layout layout = new()
        {
            MapId = map.Info.Id,
            MapName = map.Info.Name,
            KeySize = map.Layout.KeySize,
            ValueSize = map.Info.ValueSize,
            ValueStride = map.Layout.ValueStride,
            ByteOrder = NodeByteOrder,
            ValueKind = ValueKindOf(map.Layout),
            Guarantee = readability.Guarantee,
            ReadMethod = readability.Method,
            ValueError = map.Layout.ValueError == Errno.None ? "" : map.Layout.ValueError.Name(),
            BootId = source.Node.BootId.ToString(),
            RealtimeNs = clocks.Realtime,
            MonotonicNs = clocks.Monotonic,
            BoottimeNs = clocks.Boottime,
        };
        layout.PossibleCpuIds.AddRange(source.Node.PossibleCpuIds);
        return layout;
    }

    /// <summary>The byte order of this machine.</summary>
    public static ByteOrder NodeByteOrder => BitConverter.IsLittleEndian ? ByteOrder.LittleEndian : ByteOrder.BigEndian;

    private static ValueKind ValueKindOf(MapLayout layout) => layout.ValueKind switch
    {
        MapValueKind.Raw => ValueKind.Raw,
        MapValueKind.PerCpu => ValueKind.PerCpu,
        MapValueKind.MapId => ValueKind.MapId,
        MapValueKind.ProgId => ValueKind.ProgId,
        MapValueKind.DevMap => ValueKind.Devmap,
        MapValueKind.CpuMap => ValueKind.Cpumap,
        MapValueKind.SocketCookie => ValueKind.SocketCookie,
        MapValueKind.Stack => ValueKind.Stack,
        _ => throw new InvalidOperationException($"value kind {layout.ValueKind} has no name in the contract"),
    };
}
