using System.Numerics;
using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Elements;

/// <summary>stack_trace: stack ids in a power of two of buckets, walked without the empty ones.</summary>
/// <remarks>Source: kernel/bpf/stackmap.c.</remarks>
internal sealed class StackTraceElements(MapInfo info, ValueShape shape)
    : IndexedElements(info, shape, BitOperations.RoundUpToPowerOf2(info.MaxEntries))
{
    /// <summary>The stack id that follows and holds a stack. An id that holds none restarts at the first.</summary>
    public override Errno NextKey(ReadOnlySpan<byte> key, Span<byte> nextKey)
    {
        bool isThere = !key.IsEmpty && IndexOf(key) < Values.Length && Values[IndexOf(key)] is not null;
        uint next = isThere ? IndexOf(key) + 1 : 0;
        while (next < Values.Length && Values[next] is null)
        {
            next++;
        }

        if (next == Values.Length)
        {
            return Errno.ENOENT;
        }

        MemoryMarshal.Write(nextKey, next);
        return Errno.None;
    }
}
