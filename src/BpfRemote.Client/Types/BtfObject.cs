using System.Security.Cryptography;
using BpfRemote.Btf;

namespace BpfRemote.Client;

/// <summary>A BTF object: the types of one program or of the kernel. Immutable; threads may share it.</summary>
public sealed class BtfObject
{
    private readonly Lazy<BtfTypes> _types;

    internal BtfObject(ReadOnlyMemory<byte> data)
    {
        Data = data;
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(data.Span));
        _types = new(() => BtfTypes.Parse(Data));
    }

    /// <summary>The raw BTF, as the kernel holds it.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Of <see cref="Data"/>, 64 hexadecimal digits in lower case: the same for the same types on every node.</summary>
    public string Sha256 { get; }

    /// <summary>The types, parsed when first asked for.</summary>
    /// <exception cref="BtfFormatException"><see cref="Data"/> is not BTF.</exception>
    public BtfTypes Types => _types.Value;
}
