namespace BpfRemote.Libbpf;

/// <summary>Which maps of the node there are for the agent.</summary>
public enum MapAccess
{
    /// <summary>All of them, by id: takes CAP_SYS_ADMIN.</summary>
    Enumerate,

    /// <summary>Those that are pinned: takes no capability, only pins that the user may read.</summary>
    Pins,
}
