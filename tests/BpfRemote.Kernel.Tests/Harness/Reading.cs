using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>How a client pages through a map.</summary>
public enum Paging
{
    /// <summary>One call to the end.</summary>
    OneStream,

    /// <summary>A new call for each page, which <c>limit</c> ends.</summary>
    CallPerPage,

    /// <summary>A new call after every single response, from its token.</summary>
    CallPerResponse,
}

/// <summary>What a client received of a whole scan: calls, and the responses of each.</summary>
public sealed class Reading
{
    private readonly List<List<MapBatch>> _calls = [];

    public IReadOnlyList<IReadOnlyList<MapBatch>> Calls => _calls;

    public IEnumerable<MapBatch> Batches => _calls.SelectMany(call => call);

    /// <summary>Reads a map to its end.</summary>
    /// <param name="client">The client.</param>
    /// <param name="map">Which map.</param>
    /// <param name="paging">How.</param>
    /// <param name="pageSize">Entries of a response; for <see cref="Paging.CallPerPage"/>, of a call.</param>
    /// <param name="include">What of each entry.</param>
    /// <param name="onBatch">Called for each response, before more is asked for.</param>
    public static async Task<Reading> ReadAsync(
        BpfRemoteClient client,
        MapSelector map,
        Paging paging,
        uint pageSize,
        Include include = Include.KeysAndValues,
        Action<MapBatch>? onBatch = null)
    {
        Reading reading = new();
        string? token = null;
        while (token is not { Length: 0 })
        {
            MapScan scan = client.Scan(token is null ? map : null, new()
            {
                ContinuationToken = token,
                BatchSize = paging == Paging.CallPerPage ? 0 : pageSize,
                Limit = paging == Paging.CallPerPage ? pageSize : 0,
                Pace = Pace.Full,
                Include = include,
            });
            List<MapBatch> call = [];
            await foreach (MapBatch batch in scan.WithCancellation(TestContext.Current.CancellationToken))
            {
                call.Add(batch);
                onBatch?.Invoke(batch);
                if (paging == Paging.CallPerResponse)
                {
                    break;
                }
            }

            reading._calls.Add(call);
            token = call[^1].ContinuationToken;
        }

        return reading;
    }

    /// <summary>The entries, without what is undefined in values.</summary>
    public EntrySet Entries(MapShape shape)
    {
        EntrySet entries = new();
        foreach (MapBatch batch in Batches)
        {
            foreach (MapEntry entry in batch)
            {
                entries.Add(entry.Key, shape.IsPerCpu ? EntryData.Unpad(entry.Value, shape) : entry.Value);
            }
        }

        return entries;
    }
}
