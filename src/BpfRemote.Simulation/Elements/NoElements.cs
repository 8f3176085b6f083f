using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Elements;

/// <summary>Types whose content cannot be read by a scan: ring buffers, bloom filters, arenas, local storage, newer types.</summary>
internal sealed class NoElements(MapInfo info, ValueShape shape) : MapElements(info, shape)
{
    public override Errno Lookup(ReadOnlySpan<byte> key, Span<byte> value) => Errno.ENOTSUPP;

    public override Errno NextKey(ReadOnlySpan<byte> key, Span<byte> nextKey) => Errno.ENOTSUPP;

    public override Errno Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Errno.ENOTSUPP;

    public override Errno Delete(ReadOnlySpan<byte> key) => Errno.ENOTSUPP;
}
