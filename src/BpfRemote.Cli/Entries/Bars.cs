using System.Globalization;
using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Entries;

/// <summary>Draws counts as bars below each other, as bcc and bpftrace do.</summary>
internal static class Bars
{
    private const int WidestBar = 40;
    private const int NarrowestBar = 10;
    private const ulong MostEmpty = 128;
    private const string Indent = "  ";

    /// <summary>Draws the slots from the first that is not 0 to the last.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="counts">What each slot counted.</param>
    /// <param name="scale">What the slots are.</param>
    /// <param name="width">Columns that fit on a line.</param>
    public static void Write(OutputBuffer output, IReadOnlyDictionary<ulong, ulong> counts, SlotScale scale, int width)
    {
        ulong[] slots = [.. counts.Where(static slot => slot.Value > 0).Select(static slot => slot.Key).Order()];
        if (slots.Length == 0)
        {
            output.Write($"{Indent}nothing was counted\n");
            return;
        }

        // Far apart, such as error numbers, only those that counted something are worth a line.
        if (slots[^1] - slots[0] < MostEmpty)
        {
            slots = [.. Enumerable.Range(0, (int)(slots[^1] - slots[0]) + 1).Select(i => slots[0] + (ulong)i)];
        }

        string[] labels = [.. slots.Select(slot => SlotLabels.Of(scale, slot))];
        string[] numbers = [.. slots.Select(slot => counts.GetValueOrDefault(slot).ToString(CultureInfo.InvariantCulture))];
        int labelWidth = labels.Max(static label => label.Length);
        int numberWidth = numbers.Max(static number => number.Length);
        int room = width - Indent.Length - labelWidth - numberWidth - (2 * Indent.Length) - "||".Length;
        int barWidth = Math.Clamp(room, NarrowestBar, WidestBar);
        double largest = counts.Values.Max();
        for (int i = 0; i < slots.Length; i++)
        {
            string bar = new('*', (int)Math.Ceiling(counts.GetValueOrDefault(slots[i]) / largest * barWidth));
            output.Write($"{Indent}{labels[i].PadLeft(labelWidth)}{Indent}{numbers[i].PadLeft(numberWidth)}{Indent}|{bar.PadRight(barWidth)}|\n");
        }
    }
}
