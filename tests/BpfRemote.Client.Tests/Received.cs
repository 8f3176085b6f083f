using System.Buffers.Binary;

namespace BpfRemote.Client.Tests;

/// <summary>Reads scans of a <see cref="FakeMapService"/>.</summary>
internal static class Received
{
    /// <summary>
    /// Adds the number of each entry of each batch, after checking its value, and acknowledges the batch to the service.
    /// </summary>
    public static async Task ReadAsync(this MapScan scan, FakeMapService service, List<int> entries, CancellationToken cancellationToken)
    {
        await foreach (MapBatch batch in scan.WithCancellation(cancellationToken))
        {
            foreach (MapEntry entry in batch)
            {
                int number = BinaryPrimitives.ReadInt32LittleEndian(entry.Key);
                Assert.Equal((long)number * number, BinaryPrimitives.ReadInt64LittleEndian(entry.Value));
                entries.Add(number);
            }

            service.Acknowledge();
        }
    }

    /// <summary>The numbers of the entries of a whole scan.</summary>
    public static async Task<List<int>> ReadAsync(this MapScan scan, FakeMapService service)
    {
        List<int> entries = [];
        await scan.ReadAsync(service, entries, TestContext.Current.CancellationToken);
        return entries;
    }
}
