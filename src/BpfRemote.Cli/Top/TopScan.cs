using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Top;

/// <summary>Scans a map again and again, and finds which entries lead.</summary>
/// <param name="session">The agent and the clock.</param>
/// <param name="selector">The map.</param>
/// <param name="schemas">Where its types come from.</param>
/// <param name="options">What entries are compared by.</param>
/// <param name="tell">Says what goes wrong and is tried again.</param>
internal sealed class TopScan(Session session, MapSelector selector, SchemaSource schemas, TopOptions options, Action<string> tell)
{
    private readonly long _start = session.Time.GetTimestamp();
    private Map _map = new();
    private MapSchema? _schema;
    private TopMap? _entries;
    private NumberTable? _before;
    private NumberTable _now = new(0);
    private TimeSpan _beganBefore;

    /// <summary>Finds the map that the selector leads to now.</summary>
    /// <exception cref="CommandException">There is none, or it has no entries to compare.</exception>
    public async Task SelectAsync(CancellationToken cancellationToken)
    {
        Map map = await session.SelectSingleAsync(selector, cancellationToken);
        if (map.Id == _map.Id)
        {
            return;
        }

        if (map.KeySize == 0)
        {
            throw CommandException.Usage($"map {map.Id} is a {map.TypeName}: its entries have no keys to follow them by");
        }

        if (_map.Id != 0)
        {
            tell($"map {_map.Id} is gone, this is map {map.Id}");
        }

        _schema = await schemas.FindAsync(map, selector, cancellationToken);
        _map = map;
        _entries = null;
        _before = null;
        _now = new((int)map.KeySize);
    }

    /// <summary>Scans the map once.</summary>
    /// <param name="limit">How many entries are wanted.</param>
    /// <param name="cancellationToken">Ends the scan.</param>
    /// <returns>null where the pin leads to another map now.</returns>
    public async Task<Refresh?> TryRefreshAsync(int limit, CancellationToken cancellationToken)
    {
        MapSelector target = Session.ScanTarget(selector, _map);
        ScanOptions scan = new() { OnResume = resume => tell(ScanMeter.Describe(resume)) };
        TimeSpan begin = session.Time.GetElapsedTime(_start);
        Leaders leaders = new(limit);
        int found = 0;
        ScanCost cost = new();
        _now.Clear();
        await foreach (MapBatch batch in session.Client.Scan(target, scan).WithCancellation(cancellationToken))
        {
            if (batch.Layout.MapId != _map.Id)
            {
                return null;
            }

            _entries ??= new(_map, batch.Layout, _schema, options);
            found += Read(batch, _entries, leaders);
            cost = batch.Cost;
        }

        Refresh refresh = new()
        {
            Map = _entries!,
            Time = session.Time.GetUtcNow(),
            Entries = leaders.TakeAll(),
            Total = _now.Count,
            Added = _before is null ? null : _now.Count - found,
            Gone = _before is null ? 0 : _before.Count - found,
            KernelTime = cost.KernelTime?.ToTimeSpan() ?? TimeSpan.Zero,
            Duration = session.Time.GetElapsedTime(_start) - begin,
        };
        _beganBefore = begin;
        (_before, _now) = (_now, _before ?? new((int)_map.KeySize));
        return refresh;
    }

    // Each response has its own time: a scan may take long, or be interrupted.
    private int Read(MapBatch batch, TopMap map, Leaders leaders)
    {
        TimeSpan time = session.Time.GetElapsedTime(_start);
        int found = 0;
        foreach (MapEntry entry in batch)
        {
            ReadOnlySpan<byte> value = map.OneValue(entry.Value);
            ulong bits = map.Field.Read(value);
            if (!_now.Put(entry.Key, bits, time))
            {
                continue;
            }

            bool isKnown = TryRate(map, entry.Key, bits, time, out double? rate);
            found += isKnown ? 1 : 0;
            Int128 number = map.Field.Number(bits);
            Rank rank = new(options.ByValue ? 0 : rate ?? 0, number);
            if (leaders.Takes(rank))
            {
                leaders.Add(new(entry.Key.ToArray(), value.ToArray(), number, rate, rate is not null && !isKnown), rank);
            }
        }

        return found;
    }

    /// <returns>Whether the scan before had the entry.</returns>
    private bool TryRate(TopMap map, ReadOnlySpan<byte> key, ulong bits, TimeSpan time, out double? rate)
    {
        rate = null;
        if (_before is null)
        {
            return false;
        }

        bool isKnown = _before.TryFind(key, time, out ulong before, out double seconds);
        rate = (double)(map.Field.Number(bits) - map.Field.Number(before)) / (isKnown ? seconds : SecondsBefore(time));
        return isKnown;
    }

    // What is new has come at some time since the scan before.
    private double SecondsBefore(TimeSpan time) => Math.Max((time - _beganBefore).TotalSeconds, 0.0001);
}
