namespace BpfRemote.Cli.Top;

/// <summary>How soon a refresh may follow another, so that all of them take no more of the node than gentle scans may.</summary>
/// <param name="asked">The time that the user wants from one refresh to the next.</param>
/// <param name="share">The part of one CPU that gentle scans may spend in the kernel, above 0.</param>
internal sealed class RefreshPace(TimeSpan asked, double share)
{
    public TimeSpan Asked => asked;

    public double Share => share;

    /// <summary>The time from the beginning of a refresh to that of the next.</summary>
    /// <param name="kernelTime">What the refresh has spent in the kernel.</param>
    /// <param name="duration">How long it took, waits for other gentle scans among that.</param>
    public TimeSpan Next(TimeSpan kernelTime, TimeSpan duration)
    {
        TimeSpan gentle = kernelTime / share;
        TimeSpan soonest = gentle > duration ? gentle : duration;
        return soonest > asked ? soonest : asked;
    }
}
