namespace BpfRemote.Libbpf;

/// <summary>Knows the maps that are pinned, and no others: what access is left without CAP_SYS_ADMIN.</summary>
/// <param name="access">What finds and opens the pins.</param>
internal sealed class PinsAccess(IMapAccess access) : IMapAccess
{
    /// <summary>What the pins were when they were last looked at. A pin found here is opened and asked what it is now.</summary>
    private volatile PinnedMaps? _known;

    public IEnumerable<uint> MapIds(uint after)
    {
        foreach (uint id in ReadPins(CancellationToken.None).ByMapId.Keys.Where(id => id > after).Order())
        {
            yield return id;
        }
    }

    public SafeBpfHandle OpenMap(uint id) =>
        TryOpen(id, _known)
        ?? TryOpen(id, ReadPins(CancellationToken.None))
        ?? throw new BpfException(nameof(Interop.BpfObj.bpf_obj_get_opts), Errno.ENOENT, $"map {id}, to which no pin leads");

    public SafeBpfHandle OpenPin(string path) => access.OpenPin(path);

    public SafeBpfHandle OpenBtf(uint id) =>
        throw new BpfException(nameof(Interop.BpfBtf.bpf_btf_get_fd_by_id), Errno.EPERM, $"BTF {id}");

    public PinnedMaps ReadPins(CancellationToken cancellationToken) => _known = access.ReadPins(cancellationToken);

    public MapOwners ReadOwners(CancellationToken cancellationToken) => access.ReadOwners(cancellationToken);

    /// <summary>None: programs are found by id.</summary>
    public MapPrograms ReadPrograms(CancellationToken cancellationToken) => MapPrograms.From([]);

    private SafeBpfHandle? TryOpen(uint id, PinnedMaps? pins)
    {
        foreach (string path in pins?.Of(id) ?? [])
        {
            try
            {
                SafeBpfHandle opened = access.OpenPin(path);
                if (FdInfo.Read(opened.FdInfoPath).MapId == id)
                {
                    return opened;
                }

                opened.Dispose();
            }
            catch (BpfException)
            {
                // The pin is gone meanwhile; another may lead to the map.
            }
        }

        return null;
    }
}
