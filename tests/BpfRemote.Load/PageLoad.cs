using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Load;

/// <summary>Pages of 100 entries, each a call of its own that continues from the token of the one before, at the gentle pace.</summary>
internal sealed class PageLoad(string address, string pin)
{
    private const int PageSize = 100;
    private const int WarmPages = 200;

    private readonly MapSelector _map = MapSelectors.ByPinnedPath(pin);

    /// <summary>One client that asks for one page after the other.</summary>
    public async Task RunAsync(int pages)
    {
        using BpfRemoteClient client = Target.Connect(address);
        Pager pager = new(client, _map);
        for (int i = 0; i < WarmPages; i++)
        {
            await pager.TurnAsync();
        }

        List<double> latencies = [];
        for (int i = 0; i < pages; i++)
        {
            latencies.Add(await pager.TurnAsync());
        }

        Print(latencies);
    }

    /// <summary>Several clients that ask for a page at every interval, while one more scans the map at the gentle pace.</summary>
    public async Task RunBesideScanAsync(int pages, int pagers, TimeSpan interval)
    {
        using CancellationTokenSource done = new();
        Task scan = ScanUntilAsync(done.Token);
        double[][] latencies = await Task.WhenAll(Enumerable.Range(0, pagers).Select(_ => TurnPagesAsync(pages, interval)));
        await done.CancelAsync();
        await scan;
        Print([.. latencies.SelectMany(static one => one)]);
    }

    private async Task ScanUntilAsync(CancellationToken done)
    {
        using BpfRemoteClient client = Target.Connect(address);
        try
        {
            while (true)
            {
                await Target.ScanAsync(client, _map, Pace.Gentle, done);
            }
        }
        catch (OperationCanceledException)
        {
            // The pagers have what they wanted.
        }
    }

    private async Task<double[]> TurnPagesAsync(int pages, TimeSpan interval)
    {
        using BpfRemoteClient client = Target.Connect(address);
        using PeriodicTimer timer = new(interval, TimeProvider.System);
        Pager pager = new(client, _map);
        await pager.TurnAsync(); // connects
        double[] latencies = new double[pages];
        for (int i = 0; i < pages; i++)
        {
            await timer.WaitForNextTickAsync();
            latencies[i] = await pager.TurnAsync();
        }

        return latencies;
    }

    private static void Print(List<double> latencies)
    {
        latencies.Sort();
        Console.WriteLine($"{latencies[latencies.Count / 2]:f3} {latencies[latencies.Count * 99 / 100]:f3}");
    }

    private sealed class Pager(BpfRemoteClient client, MapSelector map)
    {
        private string _token = "";

        /// <summary>Asks for the next page; after the last one, for the first.</summary>
        /// <returns>Milliseconds until all of it was there.</returns>
        public async Task<double> TurnAsync()
        {
            long start = TimeProvider.System.GetTimestamp();
            await foreach (MapBatch batch in client.Scan(map, new() { Limit = PageSize, ContinuationToken = _token }))
            {
                _token = batch.ContinuationToken;
            }

            return TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;
        }
    }
}
