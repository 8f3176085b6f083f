using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Load;

/// <summary>Scans at full pace, whose entries are received and counted.</summary>
internal sealed class ScanLoad(string address, string pin)
{
    private readonly MapSelector _map = MapSelectors.ByPinnedPath(pin);

    /// <summary>Scans one after the other over one connection. The first, which connects, is not counted.</summary>
    public async Task RunOneByOneAsync(int times)
    {
        using BpfRemoteClient client = Target.Connect(address);
        await Target.ScanAsync(client, _map, Pace.Full);
        for (int i = 0; i < times; i++)
        {
            long start = TimeProvider.System.GetTimestamp();
            long entries = await Target.ScanAsync(client, _map, Pace.Full);
            Console.WriteLine($"{entries} {TimeProvider.System.GetElapsedTime(start).TotalSeconds:f6}");
        }
    }

    /// <summary>Scans until all have ended, some at once, each over a connection of its own.</summary>
    public async Task RunAtOnceAsync(int times, int atOnce)
    {
        int left = times;
        long entries = 0;
        long start = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, atOnce).Select(async _ =>
        {
            using BpfRemoteClient client = Target.Connect(address);
            while (Interlocked.Decrement(ref left) >= 0)
            {
                Interlocked.Add(ref entries, await Target.ScanAsync(client, _map, Pace.Full));
            }
        }));
        Console.WriteLine($"{entries} {TimeProvider.System.GetElapsedTime(start).TotalSeconds:f6}");
    }
}
