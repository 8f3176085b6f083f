namespace BpfRemote.DemoMaps;

/// <summary>The four maps, pinned for as long as <see cref="RunAsync"/> runs.</summary>
internal static class Demo
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    internal static async Task RunAsync(DemoOptions options, TimeProvider time, TextWriter output, CancellationToken stop)
    {
        await PrepareBpffsAsync(options.PinDirectory, output);
        using ConnectionTable connections = new(options.Entries, time);
        using CpuCounters counters = new();
        using RouteTable routes = new();
        using WritableMap settings = Settings.Create();
        using PinDirectory pins = new(options.PinDirectory);
        foreach (WritableMap map in (WritableMap[])[connections.Map, counters.Map, routes.Map, settings])
        {
            string pin = pins.Pin(map);
            await output.WriteLineAsync($"map {map.Id} {map.Name} pinned at {pin}");
        }

        await output.WriteLineAsync("ready");

        using PeriodicTimer timer = new(options.Still ? Timeout.InfiniteTimeSpan : Step, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                connections.Advance();
                counters.Advance();
                routes.Advance();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop: the pins and the maps go.
        }
    }

    private static async Task PrepareBpffsAsync(string directory, TextWriter output)
    {
        string existing = directory;
        while (!Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing)!;
        }

        if (Bpffs.IsMountedAt(existing))
        {
            return;
        }

        if (directory != Bpffs.Root && !directory.StartsWith(Bpffs.Root + '/', StringComparison.Ordinal))
        {
            throw new IOException($"{existing} is not on a bpffs: mount -t bpf bpffs {existing}");
        }

        Bpffs.Mount();
        await output.WriteLineAsync($"mounted a bpffs at {Bpffs.Root}");
    }
}
