namespace BpfRemote.DemoMaps;

/// <summary>The integer types that BPF programs use, under their C names, each described when it is first asked for.</summary>
internal sealed class CTypes(BtfBuilder btf)
{
    private uint? _u8;
    private uint? _u16;
    private uint? _u32;
    private uint? _u64;
    private uint? _be16;
    private uint? _be32;
    private uint? _bool;
    private uint? _char;

    internal uint U8 => _u8 ??= btf.Typedef("__u8", btf.Int("unsigned char", 1));

    internal uint U16 => _u16 ??= btf.Typedef("__u16", btf.Int("unsigned short", 2));

    internal uint U32 => _u32 ??= btf.Typedef("__u32", btf.Int("unsigned int", 4));

    internal uint U64 => _u64 ??= btf.Typedef("__u64", btf.Int("unsigned long long", 8));

    internal uint Be16 => _be16 ??= btf.Typedef("__be16", U16);

    internal uint Be32 => _be32 ??= btf.Typedef("__be32", U32);

    internal uint Bool => _bool ??= btf.Typedef("bool", btf.Int("_Bool", 1, BtfIntEncoding.Bool));

    internal uint Char => _char ??= btf.Int("char", 1, BtfIntEncoding.Signed);

    internal uint Array(uint element, int count) => btf.Array(element, count, U32);
}
