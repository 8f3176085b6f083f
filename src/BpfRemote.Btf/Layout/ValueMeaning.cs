namespace BpfRemote.Btf;

/// <summary>What the name of a type says about its bytes beyond their kind.</summary>
internal enum ValueMeaning
{
    None,

    /// <summary>An integer in network byte order.</summary>
    NetworkOrder,
    Ipv4,
    Ipv6,
    Mac,
}
