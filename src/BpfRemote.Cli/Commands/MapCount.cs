using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary><c>map count SELECTOR</c></summary>
internal sealed class MapCount : RemoteCommand
{
    private readonly Argument<string[]> _words = Words(SelectorWords.Grammar, SelectorWords.Description);
    private readonly Option<string?> _pace = Pacing.Option();

    public MapCount()
        : base("count", "Count the entries of a map. The kernel keeps no count, so this scans; only the number travels.")
    {
        Add(_words);
        Add(_pace);
    }

    public override string Examples =>
        """
        bpfremote map count id 42
        bpfremote -j map count name connections | jq .entries
        """;

    public override Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        session.ExpectTableOrJson();
        WordReader words = new(parse.GetValue(_words) ?? []);
        MapSelector selector = SelectorWords.Take(words);
        words.ExpectEnd();
        Pace pace = Pacing.Read(parse.GetValue(_pace));
        return ScanMeter.RunAsync(session.Terminal, async meter =>
        {
            List<(Map Map, ScanCost Cost)> counts = [];
            foreach (Map map in await session.SelectAsync(selector, MapView.Basic, cancellationToken))
            {
                counts.Add((map, await CountAsync(session, meter, map, pace, cancellationToken)));
            }

            Write(session, counts);
            return ExitCode.Done;
        });
    }

    private static async Task<ScanCost> CountAsync(
        Session session, ScanMeter meter, Map map, Pace pace, CancellationToken cancellationToken)
    {
        ScanOptions options = new() { Include = Include.CountOnly, Pace = pace, OnResume = meter.Resuming };
        ScanCost cost = new();
        meter.Begin(map.Name, map.MaxEntries);
        await foreach (MapBatch batch in session.Client.Scan(MapSelectors.ById(map.Id), options).WithCancellation(cancellationToken))
        {
            cost = batch.Cost;
            meter.Advance(batch.Count);
        }

        return cost;
    }

    private static void Write(Session session, List<(Map Map, ScanCost Cost)> counts)
    {
        if (session.Settings.Format != OutputFormat.Table)
        {
            session.WriteJson(counts, asArray: false, static (json, count) =>
            {
                json.WriteStartObject();
                MapJson.WriteIdentity(json, count.Map);
                json.WriteNumber("entries", count.Cost.Entries);
                json.WriteNumber("native_calls", count.Cost.NativeCalls);
                json.WriteNumber("kernel_time_us", (long)KernelTime(count.Cost).TotalMicroseconds);
                json.WriteEndObject();
            });
            return;
        }

        TextTable table = new(("ENTRIES", true), ("ID", true), ("TYPE", false), ("NAME", false), ("KERNEL TIME", true));
        foreach ((Map map, ScanCost cost) in counts)
        {
            table.Add([$"{cost.Entries}", $"{map.Id}", map.TypeName, map.Name, $"{KernelTime(cost).TotalMicroseconds:0} us"]);
        }

        table.Write(session.Output, session.Terminal.Colour);
    }

    private static TimeSpan KernelTime(ScanCost cost) => cost.KernelTime?.ToTimeSpan() ?? TimeSpan.Zero;
}
