namespace BpfRemote.Btf.Tests;

/// <summary>Inputs with a few bits, bytes, words or lengths that are not what they were.</summary>
internal static class Mutation
{
    public static byte[] Of(byte[] original, Random random)
    {
        byte[] input = [.. original];
        for (int left = random.Next(1, 5); left > 0; left--)
        {
            int at = random.Next(input.Length);
            switch (random.Next(6))
            {
                case 0:
                    input[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    input[at] = (byte)random.Next(256);
                    break;
                case 2:
                    // A word, where words are: sizes, counts, ids and offsets just past what is allowed.
                    BitConverter.TryWriteBytes(
                        input.AsSpan(at / 4 * 4), random.Next(3) switch { 0 => uint.MaxValue, 1 => (uint)random.Next(64), _ => 0x7fff_ffff });
                    break;
                case 3:
                    input = input[..at];
                    break;
                case 4:
                    int length = Math.Min(random.Next(1, 32), input.Length - at);
                    input.AsSpan(at, length).CopyTo(input.AsSpan(random.Next(input.Length - length + 1)));
                    break;
                default:
                    input.AsSpan(at, Math.Min(12, input.Length - at)).Clear();
                    break;
            }

            if (input.Length == 0)
            {
                break;
            }
        }

        return input;
    }
}
