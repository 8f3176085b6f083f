using System.Globalization;

namespace BpfRemote.Cli.Entries;

/// <summary>Names slots by the values that they count.</summary>
internal static class SlotLabels
{
    /// <summary>The values of a slot, as the tools that make such histograms print them.</summary>
    public static string Of(SlotScale scale, ulong slot) => scale switch
    {
        SlotScale.Log2 when slot == 0 => "0 -> 1",
        SlotScale.Log2 when slot < 64 => string.Create(
            CultureInfo.InvariantCulture, $"{1UL << (int)slot} -> {(slot == 63 ? ulong.MaxValue : (2UL << (int)slot) - 1)}"),
        SlotScale.Bpftrace when slot == 0 => "(..., 0)",
        SlotScale.Bpftrace when slot <= 2 => $"[{slot - 1}]",
        SlotScale.Bpftrace when slot < 66 => $"[{Power((int)slot - 2)}, {Power((int)slot - 1)})",
        _ => slot.ToString(CultureInfo.InvariantCulture),
    };

    private static string Power(int exponent)
    {
        const string units = " KMGTPE";
        int unit = exponent / 10;
        string number = (1 << (exponent % 10)).ToString(CultureInfo.InvariantCulture);
        return unit == 0 ? number : $"{number}{units[unit]}";
    }
}
