namespace BpfRemote.Btf;

/// <summary>Floating-point numbers of 2, 4 and 8 bytes and their bits.</summary>
internal static class FloatBits
{
    public static double Read(ulong bits, int size) => size switch
    {
        sizeof(ushort) => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
        sizeof(float) => BitConverter.UInt32BitsToSingle((uint)bits),
        _ => BitConverter.UInt64BitsToDouble(bits),
    };

    /// <summary>The nearest number of a size; infinite where it is too large.</summary>
    public static ulong Of(double number, int size) => size switch
    {
        sizeof(ushort) => BitConverter.HalfToUInt16Bits((Half)number),
        sizeof(float) => BitConverter.SingleToUInt32Bits((float)number),
        _ => BitConverter.DoubleToUInt64Bits(number),
    };
}
