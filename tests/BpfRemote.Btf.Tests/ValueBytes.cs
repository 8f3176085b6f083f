using System.Buffers.Binary;

namespace BpfRemote.Btf.Tests;

/// <summary>Puts together the bytes of a value as a machine of one byte order would.</summary>
internal sealed class ValueBytes(bool bigEndian)
{
    private readonly List<byte> _bytes = [];

    public ValueBytes U8(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public ValueBytes U16(ushort value) => Add(value, 2);

    public ValueBytes U32(uint value) => Add(value, 4);

    public ValueBytes U64(ulong value) => Add(value, 8);

    public ValueBytes U128(UInt128 value) => Add(value, 16);

    public byte[] ToArray() => [.. _bytes];

    private ValueBytes Add(UInt128 value, int size)
    {
        Span<byte> all = stackalloc byte[16];
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt128BigEndian(all, value);
            _bytes.AddRange(all[^size..]);
        }
        else
        {
            BinaryPrimitives.WriteUInt128LittleEndian(all, value);
            _bytes.AddRange(all[..size]);
        }

        return this;
    }
}
