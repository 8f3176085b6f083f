namespace BpfRemote.Btf;

/// <summary>How the bytes of an integer are meant (<c>BTF_INT_…</c> of <c>linux/btf.h</c>); none of these is unsigned.</summary>
[Flags]
public enum BtfIntEncoding
{
    /// <summary>An unsigned number.</summary>
    None = 0,

    /// <summary>A number in two's complement.</summary>
    Signed = 1,

    /// <summary>A character. Compilers seldom set it: for them <c>char</c> is a signed number of that name.</summary>
    Char = 2,

    /// <summary>True where it is not 0.</summary>
    Bool = 4,
}
