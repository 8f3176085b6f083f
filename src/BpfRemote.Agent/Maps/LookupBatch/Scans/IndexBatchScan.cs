using System.Buffers.Binary;
using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Maps.LookupBatch.Scans;

/// <summary>Array types by batch: the cursor is the last index given, holes are left out.</summary>
internal sealed class IndexBatchScan(MapInfo info) : MapScan
{
    private readonly MapCursor _cursor = new(info.KeySize);
    private uint _next;

    public override ScanStep Step(IBpfMap map, EntryBuffer buffer, Room room)
    {
        // A cursor at or beyond max_entries would silently begin again at index 0.
        if (_next >= info.MaxEntries)
        {
            return ScanStep.Completed;
        }

        if (_next > 0)
        {
            _cursor.MoveTo(_next - 1);
        }

        Called();
        Span<byte> keys = buffer.KeyRoom(room.Step);
        BatchResult page = map.LookupBatch(_cursor, keys, buffer.ValueRoom(room.Step), room.Step);
        if (page.Count > 0)
        {
            _next = MemoryMarshal.Cast<byte, uint>(keys)[page.Count - 1] + 1;
            buffer.Append(page.Count);
            Progressed();
        }

        switch (page)
        {
            case { Error: Errno.ENOENT }:
                return ScanStep.Completed;
            case { Error: Errno.EINTR, Count: 0 }:
                // Older kernels give up on a hole of array_of_maps instead of passing it. What interrupts may be something else, too.
                StepAlone(map, buffer);
                break;
            case { Error: Errno.None, Count: > 0 }:
                break;
            default:
                Stalled("bpf_map_lookup_batch", page.Error, info);
                break;
        }

        return _next >= info.MaxEntries ? ScanStep.Completed : ScanStep.Advanced;
    }

    public override int WritePosition(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, _next);
        return sizeof(uint);
    }

    protected override bool TryMoveTo(ReadOnlySpan<byte> position) =>
        position.Length == sizeof(uint)
        && (_next = BinaryPrimitives.ReadUInt32LittleEndian(position)) < info.MaxEntries;

    /// <summary>Reads the next index by itself, and passes it where it is a hole.</summary>
    private void StepAlone(IBpfMap map, EntryBuffer buffer)
    {
        Called();
        Span<byte> key = buffer.KeyRoom(1);
        MemoryMarshal.Write(key, _next);
        Errno error = map.LookupElement(key, buffer.ValueRoom(1));
        if (error is not (Errno.None or Errno.ENOENT))
        {
            Stalled("bpf_map_lookup_elem", error, info);
            return;
        }

        if (error == Errno.None)
        {
            buffer.Append(1);
        }

        Adjusted();
        Progressed();
        _next++;
    }
}
