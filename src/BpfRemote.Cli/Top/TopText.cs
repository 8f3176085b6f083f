using System.Globalization;

namespace BpfRemote.Cli.Top;

/// <summary>What a refresh says of itself to people.</summary>
internal static class TopText
{
    /// <summary>The map, where it is, and how many entries it has.</summary>
    public static string Title(Refresh refresh, string hostname)
    {
        string name = refresh.Map.Map.Name is { Length: > 0 } given ? $"{given}  " : "";
        string entries = $"{refresh.Total} {(refresh.Total == 1 ? "entry" : "entries")}";
        string changes = refresh.Added is { } added && (added > 0 || refresh.Gone > 0) ? $", {added} new, {refresh.Gone} gone" : "";
        return $"{name}{refresh.Map.Map.TypeName} id {refresh.Map.Map.Id} on {hostname}  {entries}{changes}";
    }

    /// <summary>How often it is refreshed, and what that costs the node.</summary>
    /// <param name="refresh">The refresh.</param>
    /// <param name="pace">What the user wants, and what the node allows.</param>
    public static string Cost(Refresh refresh, RefreshPace pace)
    {
        TimeSpan interval = pace.Next(refresh.KernelTime, refresh.Duration);
        string slowed = interval > pace.Asked ? $" instead of {Time(pace.Asked)}" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"refreshing every {Time(interval)}{slowed}: {Time(refresh.KernelTime)} in the kernel, {refresh.KernelTime / interval:0.00%} of one CPU");
    }

    private static string Time(TimeSpan time) => time switch
    {
        { TotalSeconds: >= 60 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} min"),
        { TotalSeconds: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s"),
        { TotalMilliseconds: >= 10 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        { TotalMilliseconds: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMicroseconds:0} us"),
    };
}
