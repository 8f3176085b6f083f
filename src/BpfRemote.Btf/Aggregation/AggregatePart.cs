using System.Numerics;

namespace BpfRemote.Btf;

/// <summary>A part of every CPU's value, or as many of one kind as lie a stride apart, and how one is made of them.</summary>
internal readonly struct AggregatePart
{
    private readonly Means _means;
    private readonly int _bitOffset;
    private readonly int _width;

    /// <param name="field">The part, or the first of them.</param>
    /// <param name="isMeant">Whether its name says that it is something else than a number.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="stride">Bytes from one to the next.</param>
    public AggregatePart(BtfField field, bool isMeant, int count, int stride)
    {
        Offset = field.Offset;
        Count = count;
        Stride = stride;
        Size = field.End - field.Offset;
        _bitOffset = field.BitOffset;
        _width = field.Width;
        _means = field.Layout switch
        {
            _ when isMeant => Means.First,
            { Kind: BtfValueKind.Integer, IsSigned: true } => Means.Signed,
            { Kind: BtfValueKind.Integer } => Means.Unsigned,
            { Kind: BtfValueKind.Float, Size: <= sizeof(double) } => Means.Float,
            _ when field.BitSize != 0 => Means.FirstBits,
            _ => Means.First,
        };
    }

    private enum Means : byte
    {
        Unsigned,
        Signed,
        Float,
        First,
        FirstBits,
    }

    /// <summary>Bytes from the beginning of the value.</summary>
    public int Offset { get; }

    public int Count { get; }

    public int Stride { get; }

    /// <summary>Bytes that it is in.</summary>
    public int Size { get; }

    /// <summary>Makes one of those of all CPUs.</summary>
    /// <param name="blocks">From the part of the first CPU on.</param>
    /// <param name="blockSize">Bytes from one CPU's part to the next one's.</param>
    /// <param name="value">Takes the one, from the part on; its bits are 0.</param>
    /// <param name="isSum">Whether numbers are added; else the largest is taken.</param>
    /// <param name="order">Of all the bytes.</param>
    public void Combine(ReadOnlySpan<byte> blocks, int blockSize, Span<byte> value, bool isSum, BtfByteOrder order)
    {
        switch (_means)
        {
            case Means.Unsigned:
                UInt128 unsigned = Bits(blocks, order);
                for (int at = blockSize; at < blocks.Length; at += blockSize)
                {
                    UInt128 next = Bits(blocks[at..], order);
                    unsigned = isSum ? AddSaturating(unsigned, next) : UInt128.Max(unsigned, next);
                }

                order.Write(value, _bitOffset, _width, UInt128.Min(unsigned, UInt128.MaxValue >> (128 - _width)));
                break;
            case Means.Signed:
                Int128 signed = Signed(blocks, order);
                for (int at = blockSize; at < blocks.Length; at += blockSize)
                {
                    Int128 next = Signed(blocks[at..], order);
                    signed = isSum ? AddSaturating(signed, next) : Int128.Max(signed, next);
                }

                Int128 most = Int128.MaxValue >> (128 - _width);
                order.Write(value, _bitOffset, _width, (UInt128)Int128.Clamp(signed, ~most, most));
                break;
            case Means.Float:
                double real = Real(blocks, order);
                for (int at = blockSize; at < blocks.Length; at += blockSize)
                {
                    real = isSum ? real + Real(blocks[at..], order) : Math.Max(real, Real(blocks[at..], order));
                }

                order.Write(value, bitOffset: 0, _width, FloatBits.Of(real, Size));
                break;
            case Means.FirstBits:
                UInt128 first = 0;
                for (int at = 0; first == 0 && at < blocks.Length; at += blockSize)
                {
                    first = Bits(blocks[at..], order);
                }

                order.Write(value, _bitOffset, _width, first);
                break;
            default:
                CopyFirst(blocks, blockSize, value);
                break;
        }
    }

    private static T AddSaturating<T>(T a, T b)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
    {
        T sum = unchecked(a + b);
        return T.IsNegative(b)
            ? sum > a ? T.MinValue : sum
            : sum < a ? T.MaxValue : sum;
    }

    private void CopyFirst(ReadOnlySpan<byte> blocks, int blockSize, Span<byte> value)
    {
        for (int at = 0; at < blocks.Length; at += blockSize)
        {
            ReadOnlySpan<byte> part = blocks.Slice(at, Size);
            if (part.ContainsAnyExcept((byte)0))
            {
                part.CopyTo(value);
                return;
            }
        }
    }

    private UInt128 Bits(ReadOnlySpan<byte> bytes, BtfByteOrder order) => _bitOffset == 0 && _width is 8 or 16 or 32 or 64
        ? order.Unsigned(bytes, _width / 8)
        : order.Bits(bytes, _bitOffset, _width);

    private Int128 Signed(ReadOnlySpan<byte> bytes, BtfByteOrder order) =>
        (Int128)(Bits(bytes, order) << (128 - _width)) >> (128 - _width);

    private double Real(ReadOnlySpan<byte> bytes, BtfByteOrder order) => FloatBits.Read(order.Unsigned(bytes, Size), Size);
}
