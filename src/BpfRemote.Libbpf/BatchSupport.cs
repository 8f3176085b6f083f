using System.Collections.Concurrent;
using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf;

/// <summary>Which map types have the batch call on this kernel: asked of the kernel, once for each type.</summary>
internal sealed unsafe class BatchSupport
{
    private readonly ConcurrentDictionary<BpfMapType, bool> _byType = new();

    /// <exception cref="BpfException">The kernel answered neither yes nor no.</exception>
    internal bool Of(SafeBpfHandle map, MapInfo info)
    {
        // A map offloaded to a device has the device's operations, not its type's.
        if (info.InterfaceIndex != 0)
        {
            return Probe(map, info);
        }

        if (!_byType.TryGetValue(info.Type, out bool supported))
        {
            supported = Probe(map, info);
            _byType.TryAdd(info.Type, supported);
        }

        return supported;
    }

    private static bool Probe(SafeBpfHandle map, MapInfo info)
    {
        uint count = 0;

        // SAFETY: for a count of 0 the kernel returns before it reads or writes a buffer.
        Errno error = (Errno)(-BpfMap.bpf_map_lookup_batch(map, null, null, null, null, &count, null));
        return error switch
        {
            Errno.None => true,

            // ENOTSUPP: not for this type. EINVAL: a kernel before 5.6, without the command.
            Errno.ENOTSUPP or Errno.EINVAL => false,
            _ => throw new BpfException(nameof(BpfMap.bpf_map_lookup_batch), error, $"map {info.Id}"),
        };
    }
}
