namespace BpfRemote.Btf;

/// <summary>The kinds of BTF types, numbered as <c>BTF_KIND_…</c> of <c>linux/btf.h</c>.</summary>
public enum BtfKind
{
    /// <summary><c>BTF_KIND_UNKN</c>: type 0, which is <c>void</c> and has no record.</summary>
    Void = 0,

    /// <summary>An integer, a character or a boolean of up to 128 bits.</summary>
    Int = 1,

    /// <summary>A pointer.</summary>
    Ptr = 2,

    /// <summary>A number of elements of one type.</summary>
    Array = 3,

    /// <summary>A struct; members may be bitfields.</summary>
    Struct = 4,

    /// <summary>A union; members may be bitfields.</summary>
    Union = 5,

    /// <summary>An enumeration with values of 32 bits.</summary>
    Enum = 6,

    /// <summary>A struct or union that is declared and not defined.</summary>
    Fwd = 7,

    /// <summary>Another name of a type.</summary>
    Typedef = 8,

    /// <summary><c>volatile</c>.</summary>
    Volatile = 9,

    /// <summary><c>const</c>.</summary>
    Const = 10,

    /// <summary><c>restrict</c>.</summary>
    Restrict = 11,

    /// <summary>A function; its type is a <see cref="FuncProto"/>.</summary>
    Func = 12,

    /// <summary>What a function takes and returns.</summary>
    FuncProto = 13,

    /// <summary>A global variable.</summary>
    Var = 14,

    /// <summary>A section of variables, such as <c>.rodata</c>.</summary>
    DataSec = 15,

    /// <summary>A floating-point number.</summary>
    Float = 16,

    /// <summary>A tag on a declaration.</summary>
    DeclTag = 17,

    /// <summary>A tag on a type.</summary>
    TypeTag = 18,

    /// <summary>An enumeration with values of 64 bits.</summary>
    Enum64 = 19,
}
