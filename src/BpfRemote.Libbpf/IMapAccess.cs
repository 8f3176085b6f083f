namespace BpfRemote.Libbpf;

/// <summary>What takes privilege: finds maps and opens them for reading. Done by this process itself, or by a broker for it. Safe for
/// concurrent use; errors are as <see cref="IMapSource"/> says.</summary>
internal interface IMapAccess
{
    IEnumerable<uint> MapIds(uint after);

    SafeBpfHandle OpenMap(uint id);

    /// <param name="path">Absolute.</param>
    SafeBpfHandle OpenPin(string path);

    SafeBpfHandle OpenBtf(uint id);

    PinnedMaps ReadPins(CancellationToken cancellationToken);

    MapOwners ReadOwners(CancellationToken cancellationToken);

    MapPrograms ReadPrograms(CancellationToken cancellationToken);
}
