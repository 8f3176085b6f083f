using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary>One dump: scans maps and writes their entries, and knows how to resume when it stops early.</summary>
internal sealed class Dump(
    Session session, ScanMeter meter, MapSelector selector, IReadOnlyList<Map> maps, ScanOptions options, SchemaSource schemas, Display display)
{
    private readonly EntryWriter _writer = EntryWriters.ForDump(session, display, maps.Count > 1, options.ContinuationToken is not null);

    // Of the last response that is written to its last byte; empty once the map is complete.
    private string _token = "";
    private Map _map = maps[0];

    public async Task<ExitCode> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (Map map in maps)
            {
                _map = map;
                await ScanAsync(cancellationToken);
                PrintResume();
            }

            _writer.Close();
            session.Output.Flush();
            return ExitCode.Done;
        }
        catch (Exception error) when (Failure.Of(error) is { } failure)
        {
            // Whoever closed standard output has seen enough.
            if (failure.ExitCode != ExitCode.OutputClosed)
            {
                Report(error, failure);
            }

            return failure.ExitCode;
        }
    }

    private async Task ScanAsync(CancellationToken cancellationToken)
    {
        MapSelector target = Session.ScanTarget(selector, _map);
        MapSchema? schema = await schemas.FindAsync(_map, selector, cancellationToken);
        bool begun = false;
        ScanCost cost = new();
        _token = options.ContinuationToken ?? "";
        meter.Begin(_map.Name, _map.MaxEntries);
        await foreach (MapBatch batch in session.Client.Scan(target, options with { OnResume = meter.Resuming })
            .WithCancellation(cancellationToken))
        {
            if (!begun)
            {
                _writer.BeginMap(_map, batch.Layout, schema);
                begun = true;
            }

            _writer.WriteEntries(batch);
            if (batch.IsComplete)
            {
                _writer.EndMap(complete: true);
            }

            _writer.Flush();
            session.Output.Flush();
            _token = batch.ContinuationToken;
            meter.Advance(batch.Count);
            cost = batch.Cost;
        }

        if (_token.Length > 0)
        {
            _writer.EndMap(complete: false);
        }

        if (session.Settings.Format == OutputFormat.Table)
        {
            session.Terminal.Say($"{cost.Entries} {(cost.Entries == 1 ? "entry" : "entries")}");
        }
    }

    private void Report(Exception error, Failure failure)
    {
        if (error is OutputException || !TryFail(failure.Message))
        {
            session.Terminal.Say($"Error: {failure.Message}");
        }

        // A token that was refused does not help.
        if (error is not ContinuationTokenException)
        {
            PrintResume();
        }
    }

    private bool TryFail(string message)
    {
        try
        {
            bool told = _writer.Fail(message);
            session.Output.Flush();
            return told;
        }
        catch (OutputException)
        {
            return false;
        }
    }

    private void PrintResume()
    {
        if (_token.Length > 0)
        {
            string target = maps.Count > 1 ? $"id {_map.Id} " : "";
            session.Terminal.Say($"resume with: {target}--resume {_token}");
        }
    }
}
