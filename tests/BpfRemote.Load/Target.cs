using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Load;

/// <summary>The agent and the map under load.</summary>
internal static class Target
{
    /// <summary>A client with connections of its own.</summary>
    public static BpfRemoteClient Connect(string address) =>
        BpfRemoteClient.Connect(BpfRemoteClientOptions.FromEnvironment(address) with { Plaintext = address.StartsWith("http:", StringComparison.Ordinal) });

    /// <summary>Reads a map to its end.</summary>
    /// <returns>Its entries.</returns>
    public static async Task<long> ScanAsync(BpfRemoteClient client, MapSelector map, Pace pace, CancellationToken cancellationToken = default)
    {
        long entries = 0;
        await foreach (MapBatch batch in client.Scan(map, new() { Pace = pace }).WithCancellation(cancellationToken))
        {
            entries += batch.Count;
        }

        return entries;
    }
}
