using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Diffs;

/// <summary>A map as it is whenever it is read: on a node, or in a bundle.</summary>
/// <param name="session">Of its agent or bundle.</param>
/// <param name="selector">What the map was selected by.</param>
/// <param name="map">The map.</param>
/// <param name="schemas">Finds what its entries are.</param>
/// <param name="pace">How hard to drive the node.</param>
/// <param name="meter">Shows how far it is.</param>
internal sealed class ScanSide(
    Session session, MapSelector selector, Map map, SchemaSource schemas, Pace pace, ScanMeter meter) : DiffSide
{
    public override Task<MapSchema?> FindSchemaAsync(CancellationToken cancellationToken) =>
        schemas.FindAsync(map, selector, cancellationToken);

    public override async Task ReadAsync(EntryHandler handle, CancellationToken cancellationToken)
    {
        ScanOptions options = new() { Pace = pace, OnResume = meter.Resuming };
        meter.Begin(map.Name, map.MaxEntries);
        EntryShape? shape = null;
        byte[] packed = [];
        await foreach (MapBatch batch in session.Client.Scan(MapSelectors.ById(map.Id), options).WithCancellation(cancellationToken))
        {
            if (shape is null)
            {
                shape = EntryShape.Of(batch.Layout);
                packed = new byte[shape.PackedSize];
            }

            foreach (MapEntry entry in batch)
            {
                handle(shape, entry.Key, shape.Cpus is null ? entry.Value : Pack(entry, shape, packed));
            }

            meter.Advance(batch.Count);
        }
    }

    // What lies between the CPUs' values is not zero, and no difference.
    private static byte[] Pack(MapEntry entry, EntryShape shape, byte[] packed)
    {
        for (int i = 0; i < shape.Cpus!.Count; i++)
        {
            entry.ValueOfCpu(i).CopyTo(packed.AsSpan(i * shape.ValueSize));
        }

        return packed;
    }
}
