using System.Globalization;
using BpfRemote.V1;

namespace BpfRemote.Cli.Output;

/// <summary>Says to people what a scan took from the node.</summary>
internal static class ImpactText
{
    /// <summary>Writes it.</summary>
    public static void Write(ScanImpact impact, Pace pace, OutputBuffer output, bool colour)
    {
        CultureInfo invariant = CultureInfo.InvariantCulture;
        TextCard card = new($"Scan of {impact.Map.TypeName} '{impact.Map.Name}' (id {impact.Map.Id}) at {(pace == Pace.Full ? "full" : "gentle")} pace");
        card.Add("Entries", string.Create(invariant, $"{impact.Cost.Entries} in {Time(impact.Duration)}"));
        card.Add("In the kernel", string.Create(
            invariant, $"{Time(impact.KernelTime)} in {impact.Cost.NativeCalls} calls, {impact.CpuShare * 100:0.0} % of one CPU"));
        card.Add("Longest call", Time(impact.LongestCall));
        card.Add("Waited for pace", Time(impact.Cost.PaceWaitTime?.ToTimeSpan() ?? TimeSpan.Zero));
        card.Add("Programs", impact.ProgramsWatched == 0
            ? "none that you may see uses a map"
            : $"{impact.ProgramsWatched} watched, {(impact.Missed.Count == 0 ? "none" : $"{impact.Missed.Count}")} missed runs meanwhile");
        card.Write(output, colour);
        if (impact.Missed.Count == 0)
        {
            return;
        }

        output.Write("\n");
        TextTable table = new(("MISSED", true), ("ID", true), ("TYPE", false), ("PROGRAM", false));
        foreach ((ProgramReference program, ulong misses) in impact.Missed)
        {
            table.Add([$"{misses}", $"{program.Id}", program.Type, program.Name]);
        }

        table.Write(output, colour);
    }

    private static string Time(TimeSpan time) => time.TotalMilliseconds < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMicroseconds:0} us")
        : time.TotalSeconds < 1
            ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms")
            : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");
}
