using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Maps.LookupBatch.Scans;

/// <summary>Queue and stack: the next value, which stays where it is. One step, complete; so it never has a position.</summary>
internal sealed class PeekScan : MapScan
{
    public override ScanStep Step(IBpfMap map, EntryBuffer buffer, Room room)
    {
        Called();
        Errno error = map.LookupElement([], buffer.ValueRoom(1));
        switch (error)
        {
            case Errno.None:
                buffer.Append(1);
                return ScanStep.Completed;
            case Errno.ENOENT:
                return ScanStep.Completed;
            default:
                Stalled("bpf_map_lookup_elem", error, map.Info);
                return ScanStep.Advanced;
        }
    }

    public override int WritePosition(Span<byte> to) => 0;

    protected override bool TryMoveTo(ReadOnlySpan<byte> position) => position.IsEmpty;
}
