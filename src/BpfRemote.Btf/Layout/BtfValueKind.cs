namespace BpfRemote.Btf;

/// <summary>What a value is, once the names and qualifiers of its type are taken off.</summary>
public enum BtfValueKind
{
    /// <summary>A number of up to 128 bits.</summary>
    Integer,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>One byte that is a character.</summary>
    Character,

    /// <summary>A number whose values have names.</summary>
    Enumeration,

    /// <summary>An address of 8 bytes: BPF has no other pointers, whatever the machine.</summary>
    Pointer,

    /// <summary>A floating-point number.</summary>
    Float,

    /// <summary>Fields one after the other.</summary>
    Struct,

    /// <summary>Fields in the same place.</summary>
    Union,

    /// <summary>A number of elements of one type.</summary>
    Array,

    /// <summary>The variables of a program's section, such as <c>.bss</c>; its fields are they.</summary>
    Section,
}
