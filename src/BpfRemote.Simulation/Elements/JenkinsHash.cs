using System.Buffers.Binary;
using System.Numerics;

namespace BpfRemote.Simulation.Elements;

/// <summary>The kernel's hash of map keys: Bob Jenkins' lookup3, as include/linux/jhash.h has it on a little-endian machine.</summary>
internal static class JenkinsHash
{
    private const uint Initial = 0xdeadbeef;

    public static uint Of(ReadOnlySpan<byte> key, uint seed)
    {
        uint a, b, c;
        a = b = c = Initial + (uint)key.Length + seed;
        for (; key.Length > 12; key = key[12..])
        {
            a += Word(key);
            b += Word(key[4..]);
            c += Word(key[8..]);
            a -= c; a ^= BitOperations.RotateLeft(c, 4); c += b;
            b -= a; b ^= BitOperations.RotateLeft(a, 6); a += c;
            c -= b; c ^= BitOperations.RotateLeft(b, 8); b += a;
            a -= c; a ^= BitOperations.RotateLeft(c, 16); c += b;
            b -= a; b ^= BitOperations.RotateLeft(a, 19); a += c;
            c -= b; c ^= BitOperations.RotateLeft(b, 4); b += a;
        }

        if (key.IsEmpty)
        {
            return c;
        }

        Span<byte> last = stackalloc byte[12];
        last.Clear();
        key.CopyTo(last);
        a += Word(last);
        b += Word(last[4..]);
        c += Word(last[8..]);
        c ^= b; c -= BitOperations.RotateLeft(b, 14);
        a ^= c; a -= BitOperations.RotateLeft(c, 11);
        b ^= a; b -= BitOperations.RotateLeft(a, 25);
        c ^= b; c -= BitOperations.RotateLeft(b, 16);
        a ^= c; a -= BitOperations.RotateLeft(c, 4);
        b ^= a; b -= BitOperations.RotateLeft(a, 14);
        c ^= b; c -= BitOperations.RotateLeft(b, 24);
        return c;
    }

    private static uint Word(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
