using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf;

/// <summary>Finds and opens maps with the privilege of this process.</summary>
/// <param name="companions">Processes of the agent other than this one: they hold maps only to look at them, and own none.</param>
internal sealed unsafe class DirectAccess(params int[] companions) : IMapAccess
{
    public IEnumerable<uint> MapIds(uint after)
    {
        for (uint? id = NextMapId(after); id is not null; id = NextMapId(id.Value))
        {
            yield return id.Value;
        }
    }

    public SafeBpfHandle OpenMap(uint id)
    {
        bpf_get_fd_by_id_opts options = new() { sz = (nuint)sizeof(bpf_get_fd_by_id_opts), open_flags = BpfObj.BPF_F_RDONLY };

        // SAFETY: libbpf reads options.sz bytes during the call and keeps no pointer.
        int result = BpfMap.bpf_map_get_fd_by_id_opts(id, &options);
        return SafeBpfHandle.Wrap(result, nameof(BpfMap.bpf_map_get_fd_by_id_opts), $"map {id}");
    }

    public SafeBpfHandle OpenPin(string path) => Bpffs.Open(path);

    public SafeBpfHandle OpenBtf(uint id) =>
        SafeBpfHandle.Wrap(BpfBtf.bpf_btf_get_fd_by_id(id), nameof(BpfBtf.bpf_btf_get_fd_by_id), $"BTF {id}");

    public PinnedMaps ReadPins(CancellationToken cancellationToken) => Bpffs.ReadPins(cancellationToken);

    public MapOwners ReadOwners(CancellationToken cancellationToken) =>
        ProcessWalk.ReadOwners([Environment.ProcessId, .. companions], cancellationToken);

    public MapPrograms ReadPrograms(CancellationToken cancellationToken) => ProgramWalk.ReadPrograms(cancellationToken);

    private static uint? NextMapId(uint after)
    {
        uint next;

        // SAFETY: the kernel writes one id.
        Errno error = (Errno)(-BpfMap.bpf_map_get_next_id(after, &next));
        return error switch
        {
            Errno.None => next,
            Errno.ENOENT => null,
            _ => throw new BpfException(nameof(BpfMap.bpf_map_get_next_id), error, $"map {after}"),
        };
    }
}
