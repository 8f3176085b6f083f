namespace BpfRemote.Libbpf.Lockdown;

/// <summary>What a process of the agent is there to do. Its lockdown leaves it the calls for that, and no others.</summary>
[Flags]
public enum Duties
{
    None = 0,

    /// <summary>Looks into maps that are open.</summary>
    ReadMaps = 1,

    /// <summary>Opens maps by their pins.</summary>
    OpenPins = 2,

    /// <summary>Lists maps and programs, and opens them and BTF objects, by id.</summary>
    OpenIds = 4,

    /// <summary>Talks to clients, over unix and internet sockets.</summary>
    Serve = 8,
}
