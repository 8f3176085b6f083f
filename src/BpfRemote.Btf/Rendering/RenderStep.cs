namespace BpfRemote.Btf;

/// <summary>What a step writes after its literal text.</summary>
internal enum StepKind : byte
{
    /// <summary>Nothing more.</summary>
    Literal,

    /// <summary>An unsigned number, decimal.</summary>
    Unsigned,

    /// <summary>A signed number, decimal.</summary>
    Signed,

    /// <summary>Up to 128 bits as <c>0x…</c>.</summary>
    Hex,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>A floating-point number.</summary>
    Float,

    /// <summary>A floating-point number of a size that is none of .NET's: its bytes in hexadecimal.</summary>
    HexBytes,

    /// <summary>The name of an enumeration's value, or its number.</summary>
    Enumeration,

    /// <summary>A character of a JSON string, in quotes.</summary>
    JsonCharacter,

    /// <summary>A character of C, in quotes.</summary>
    CCharacter,

    /// <summary>A JSON string, then on at <see cref="RenderStep.Target"/>; where the bytes are no text, on with the next step.</summary>
    JsonText,

    /// <summary>A string of C, whatever the bytes are.</summary>
    CText,

    /// <summary>An unsigned number in network byte order, decimal.</summary>
    NetworkOrder,

    /// <summary>An IPv4 address, in network byte order.</summary>
    Ipv4,

    /// <summary>An IPv6 address, in network byte order.</summary>
    Ipv6,

    /// <summary>Bytes in hexadecimal with colons between.</summary>
    Mac,

    /// <summary>The steps that follow, up to the end, once for each of <see cref="RenderStep.Count"/> elements.</summary>
    Repeat,

    /// <summary>The end of a repetition; <see cref="RenderStep.Target"/> is its first step, the literal text stands between elements.</summary>
    EndRepeat,
}

/// <summary>One step of a plan: literal text, then a part of the value.</summary>
internal readonly record struct RenderStep
{
    public required StepKind Kind { get; init; }

    /// <summary>The first bit of what is not whole bytes, 0 to 7.</summary>
    public byte BitOffset { get; init; }

    /// <summary>Bits of what is not whole bytes; 0 where it is.</summary>
    public byte BitSize { get; init; }

    /// <summary>Where the literal text begins among the plan's.</summary>
    public int TextStart { get; init; }

    public int TextLength { get; init; }

    /// <summary>Bytes from the beginning of the value, or of the element in a repetition.</summary>
    public int Offset { get; init; }

    /// <summary>Bytes of the part, or of one element.</summary>
    public int Size { get; init; }

    public int Count { get; init; }

    /// <summary>A step, or the names of an enumeration.</summary>
    public int Target { get; init; }

    /// <summary>How many bits the number has.</summary>
    public int Width => BitSize != 0 ? BitSize : Size * 8;
}
