using System.Text.Json;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli;

/// <summary>One run of a command: its settings, its output and its agent.</summary>
internal sealed class Session : IDisposable
{
    /// <exception cref="CommandException">The address is none an agent can have, or does not allow what says who the caller is.</exception>
    public Session(Settings settings, Terminal terminal, OutputBuffer output, TimeProvider time)
    {
        Settings = settings;
        Terminal = terminal;
        Output = output;
        Time = time;
        try
        {
            Client = BpfRemoteClient.Connect(settings.Agent with
            {
                BtfCacheDirectory = settings.BtfCacheDirectory,
                TimeProvider = time,
            });
        }
        catch (ArgumentException error)
        {
            throw CommandException.Usage(error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"can't read the bundle at {settings.Agent.Address}: {error.Message}");
        }
    }

    public Settings Settings { get; }

    public Terminal Terminal { get; }

    public OutputBuffer Output { get; }

    public TimeProvider Time { get; }

    public BpfRemoteClient Client { get; }

    /// <summary>The map view that the settings ask for.</summary>
    public MapView View => Settings.ShowReferences ? MapView.Full : MapView.Basic;

    /// <summary>The maps that fit a selector: one, or for a name all that have it, by id.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public async Task<IReadOnlyList<Map>> SelectAsync(MapSelector selector, MapView view, CancellationToken cancellationToken)
    {
        if (selector.SelectorCase != MapSelector.SelectorOneofCase.Name)
        {
            return [await SelectOneAsync(selector, view, cancellationToken)];
        }

        List<Map> maps = [];
        ListMapsRequest filter = new() { NameGlob = GlobLiteral(selector.Name), View = view };
        await foreach (Map map in Client.ListMapsAsync(filter, cancellationToken))
        {
            if (map.Name == selector.Name)
            {
                maps.Add(map);
            }
        }

        return maps.Count > 0 ? maps : throw NotFound(selector);
    }

    /// <summary>The one map that fits a selector.</summary>
    /// <exception cref="CommandException">There is none, or a name fits several.</exception>
    public async Task<Map> SelectSingleAsync(MapSelector selector, CancellationToken cancellationToken) =>
        await SelectAsync(selector, MapView.Basic, cancellationToken) switch
        {
            [var map] => map,
            var maps => throw new CommandException(
                ExitCode.Failed, $"several maps match this handle: id {string.Join(", id ", maps.Select(static map => map.Id))}"),
        };

    /// <summary>What to scan a selected map by. A pin stays what was asked for, so that the agent notices when it leads to another map.</summary>
    public static MapSelector ScanTarget(MapSelector selector, Map map) =>
        selector.SelectorCase == MapSelector.SelectorOneofCase.PinnedPath ? selector : MapSelectors.ById(map.Id);

    /// <exception cref="CommandException">The settings ask for a form that the command's results do not have.</exception>
    public void ExpectTableOrJson()
    {
        if (Settings.Format is OutputFormat.Csv or OutputFormat.Raw)
        {
            throw CommandException.Usage("-o csv and -o raw are for entries: map dump and map lookup");
        }
    }

    /// <summary>Writes results as JSON: one document for all, as bpftool does, or with <c>-o ndjson</c> one a line.</summary>
    /// <param name="results">The results.</param>
    /// <param name="asArray">Whether one document is an array even if it holds one result.</param>
    /// <param name="write">Writes one result.</param>
    public void WriteJson<T>(IReadOnlyList<T> results, bool asArray, Action<Utf8JsonWriter, T> write)
    {
        if (Settings.Format == OutputFormat.Ndjson)
        {
            foreach (T result in results)
            {
                JsonStyle.Compact.WriteDocument(Output, json => write(json, result));
            }

            return;
        }

        Settings.JsonStyle.WriteDocument(Output, json =>
        {
            if (asArray || results.Count != 1)
            {
                json.WriteStartArray();
                foreach (T result in results)
                {
                    write(json, result);
                }

                json.WriteEndArray();
            }
            else
            {
                write(json, results[0]);
            }
        });
    }

    public void Dispose() => Client.Dispose();

    private async Task<Map> SelectOneAsync(MapSelector selector, MapView view, CancellationToken cancellationToken)
    {
        try
        {
            return await Client.GetMapAsync(selector, view, cancellationToken);
        }
        catch (MapNotFoundException)
        {
            throw NotFound(selector);
        }
    }

    // In bpftool's words, which scripts may look for.
    private static CommandException NotFound(MapSelector selector) => new(ExitCode.NotFound, selector.SelectorCase switch
    {
        MapSelector.SelectorOneofCase.Id => $"get map by id ({selector.Id}): No such file or directory",
        MapSelector.SelectorOneofCase.PinnedPath => $"bpf obj get ({selector.PinnedPath}): No such file or directory",
        _ => $"get map by name ({selector.Name}): No such file or directory",
    });

    private static string GlobLiteral(string name) =>
        string.Concat(name.Select(static c => c is '*' or '?' or '[' ? $"[{c}]" : c.ToString()));
}
