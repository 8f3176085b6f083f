namespace BpfRemote.Btf;

/// <summary>Tells network addresses by the names of types and fields, where the kind alone says only number or bytes.</summary>
/// <remarks>
/// Addresses are kept in network order everywhere, so a field's name is enough. Ports are told by their type alone
/// (<c>__be16</c>): programs keep them in host order too, in fields of the same names.
/// </remarks>
internal static class NameMeaning
{
    private const int Ipv4Size = 4;
    private const int Ipv6Size = 16;
    private const int MacSize = 6;

    private static readonly string[] AddressWords =
        ["addr", "saddr", "daddr", "laddr", "raddr", "ip", "sip", "dip", "vip", "ipaddr", "ip4", "ip6", "ipv4", "ipv6"];

    // The 32-bit numbers of protocol headers. Whatever else is __be32 is an address, such as next_hop.
    private static readonly string[] NumberWords =
        ["seq", "ack", "spi", "vni", "id", "xid", "flowinfo", "flowlabel", "label", "mark", "ports", "len", "length", "ts", "tsval", "tsecr"];

    private static readonly string[] AddressListWords = ["addrs", "ips", "vips"];

    private static readonly string[] MacWords = ["mac", "smac", "dmac", "hwaddr", "lladdr", "ethaddr", "addr", "dest", "source"];

    // What may stand behind the word that says what it is: saddr_v4.
    private static readonly string[] Suffixes = ["v4", "v6", "be", "be32"];

    /// <param name="layout">Of the value.</param>
    /// <param name="name">The field that it is, or that it is an element of; empty where it is none.</param>
    public static ValueMeaning Of(BtfValueLayout layout, string name) => layout switch
    {
        { Meaning: ValueMeaning.Ipv4, Size: Ipv4Size } => ValueMeaning.Ipv4,
        { Meaning: ValueMeaning.Ipv6, Size: Ipv6Size } => ValueMeaning.Ipv6,
        { Kind: BtfValueKind.Integer, BitSize: 0 } => OfInteger(layout, LastWord(name)),
        { Kind: BtfValueKind.Array, Element: { Kind: BtfValueKind.Integer, BitSize: 0, IsCharacter: false } element } =>
            OfArray(layout.Size, element.Size, LastWord(name)),
        _ => ValueMeaning.None,
    };

    private static ValueMeaning OfInteger(BtfValueLayout layout, string word)
    {
        bool isNetworkOrder = layout.Meaning == ValueMeaning.NetworkOrder;
        return layout.Size switch
        {
            Ipv4Size when AddressWords.Contains(word) || AddressListWords.Contains(word) => ValueMeaning.Ipv4,
            Ipv4Size when isNetworkOrder && !NumberWords.Contains(word) => ValueMeaning.Ipv4,
            Ipv6Size when AddressWords.Contains(word) => ValueMeaning.Ipv6,
            2 or 4 or 8 when isNetworkOrder => ValueMeaning.NetworkOrder,
            _ => ValueMeaning.None,
        };
    }

    private static ValueMeaning OfArray(int size, int elementSize, string word) => (size, elementSize) switch
    {
        (Ipv4Size, 1) when AddressWords.Contains(word) => ValueMeaning.Ipv4,
        (Ipv6Size, 1 or 2 or 4 or 8) when AddressWords.Contains(word) => ValueMeaning.Ipv6,
        (MacSize, 1) when MacWords.Contains(word) => ValueMeaning.Mac,
        _ => ValueMeaning.None,
    };

    private static string LastWord(string name)
    {
        string[] words = name[(name.LastIndexOf('.') + 1)..].ToLowerInvariant().Split('_', StringSplitOptions.RemoveEmptyEntries);
        return words switch
        {
            [] => "",
            [.., string word, string suffix] when Suffixes.Contains(suffix) => word,
            _ => words[^1],
        };
    }
}
