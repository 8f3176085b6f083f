using System.Globalization;

namespace BpfRemote.Libbpf;

/// <summary>The kernel's notation for sets of CPUs, such as <c>0-3,8</c>.</summary>
internal static class CpuList
{
    /// <exception cref="FormatException">Not a list of CPUs.</exception>
    internal static uint[] Parse(ReadOnlySpan<char> text)
    {
        List<uint> cpus = [];
        ReadOnlySpan<char> list = text.TrimEnd('\n');
        foreach (Range range in list.Split(','))
        {
            ReadOnlySpan<char> part = list[range];
            int dash = part.IndexOf('-');
            uint first = Number(dash < 0 ? part : part[..dash]);
            uint last = dash < 0 ? first : Number(part[(dash + 1)..]);
            if (last < first)
            {
                throw new FormatException($"not a list of CPUs: {list}");
            }

            for (uint cpu = first; cpu <= last; cpu++)
            {
                cpus.Add(cpu);
            }
        }

        return [.. cpus];
    }

    private static uint Number(ReadOnlySpan<char> text) => ushort.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
