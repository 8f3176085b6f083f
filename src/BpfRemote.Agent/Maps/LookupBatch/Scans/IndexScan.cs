using System.Buffers.Binary;
using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Maps.LookupBatch.Scans;

/// <summary>Index-keyed types without the batch call: a lookup for each index; an absent one is a hole.</summary>
/// <remarks>Where the kernel refuses every value, holes cannot be told and every index is given.</remarks>
internal sealed class IndexScan(MapInfo info, MapLayout layout) : MapScan
{
    private readonly bool _keysOnly = layout.ValueStride == 0;
    private uint _next;

    public override ScanStep Step(IBpfMap map, EntryBuffer buffer, Room room)
    {
        for (int i = 0; i < room.Step && _next < layout.IndexCount; i++)
        {
            Span<byte> key = buffer.KeyRoom(1);
            MemoryMarshal.Write(key, _next);
            Errno error = _keysOnly ? Errno.None : Lookup(map, key, buffer.ValueRoom(1));
            if (error is not (Errno.None or Errno.ENOENT))
            {
                Stalled("bpf_map_lookup_elem", error, info);
                return ScanStep.Advanced;
            }

            if (error == Errno.None)
            {
                buffer.Append(1);
            }

            Progressed();
            _next++;
        }

        return _next >= layout.IndexCount ? ScanStep.Completed : ScanStep.Advanced;
    }

    public override int WritePosition(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, _next);
        return sizeof(uint);
    }

    protected override bool TryMoveTo(ReadOnlySpan<byte> position) =>
        position.Length == sizeof(uint)
        && (_next = BinaryPrimitives.ReadUInt32LittleEndian(position)) < layout.IndexCount;

    private Errno Lookup(IBpfMap map, ReadOnlySpan<byte> key, Span<byte> value)
    {
        Called();
        return map.LookupElement(key, value);
    }
}
