using BpfRemote.V1;

namespace BpfRemote.Cli.Output;

/// <summary>What a scan took from the node.</summary>
internal sealed class ScanImpact
{
    private readonly TimeProvider _time;
    private readonly long _start;

    /// <summary>Begins to measure a scan.</summary>
    /// <param name="map">Its map.</param>
    /// <param name="time">The clock.</param>
    public ScanImpact(Map map, TimeProvider time)
    {
        Map = map;
        _time = time;
        _start = time.GetTimestamp();
    }

    /// <summary>The map that was scanned.</summary>
    public Map Map { get; }

    /// <summary>What the agent says it took, of the scan's last call.</summary>
    public ScanCost Cost { get; private set; } = new();

    /// <summary>From begin to end, as the caller saw it.</summary>
    public TimeSpan Duration { get; private set; }

    /// <summary>Time inside native calls.</summary>
    public TimeSpan KernelTime => Cost.KernelTime?.ToTimeSpan() ?? TimeSpan.Zero;

    /// <summary>The longest native call.</summary>
    public TimeSpan LongestCall => Cost.LongestCall?.ToTimeSpan() ?? TimeSpan.Zero;

    /// <summary>The part of one CPU's time that went into native calls, 0 to 1.</summary>
    public double CpuShare => Duration > TimeSpan.Zero ? KernelTime / Duration : 0;

    /// <summary>Programs whose misses were read before and after the scan.</summary>
    public int ProgramsWatched { get; private set; }

    /// <summary>Programs that missed runs meanwhile, those with the most first.</summary>
    public IReadOnlyList<(ProgramReference Program, ulong Misses)> Missed { get; private set; } = [];

    /// <summary>Takes the cost of a response, which is cumulative.</summary>
    public void Take(ScanCost cost) => Cost = cost;

    /// <summary>The scan is over.</summary>
    public void End() => Duration = _time.GetElapsedTime(_start);

    /// <summary>Finds the runs that were missed between two readings of the programs.</summary>
    public void Compare(Dictionary<uint, ProgramReference> before, Dictionary<uint, ProgramReference> after)
    {
        (ProgramReference Program, ulong Misses)[] watched =
        [
            .. after.Values
                .Where(program => before.ContainsKey(program.Id))
                .Select(program => (program, program.RecursionMisses - before[program.Id].RecursionMisses)),
        ];
        ProgramsWatched = watched.Length;
        Missed = [.. watched.Where(program => program.Misses > 0).OrderByDescending(program => program.Misses)];
    }
}
