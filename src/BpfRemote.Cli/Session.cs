using System.Text.Json;
using BpfRemote.Btf;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli;

/// <summary>One run of a command: its settings, its output and its agent.</summary>
internal sealed class Session : IDisposable
{
    /// <exception cref="CommandException">The address is none an agent can have.</exception>
    public Session(Settings settings, Terminal terminal, OutputBuffer output)
    {
        Settings = settings;
        Terminal = terminal;
        Output = output;
        try
        {
            Client = BpfRemoteClient.Connect(new()
            {
                Address = settings.Address,
                Plaintext = settings.Plaintext,
                BtfCacheDirectory = settings.BtfCacheDirectory,
            });
        }
        catch (ArgumentException error)
        {
            throw CommandException.Usage(error.Message);
        }
    }

    public Settings Settings { get; }

    public Terminal Terminal { get; }

    public OutputBuffer Output { get; }

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

    /// <summary>What the entries of a map are; null where that is not known, which is said if the map refers to types.</summary>
    public async Task<MapSchema?> FindSchemaAsync(Map map, CancellationToken cancellationToken)
    {
        try
        {
            return await Client.GetSchemaAsync(map, cancellationToken);
        }
        catch (BtfFormatException error)
        {
            Terminal.Say($"The types of map {map.Id} cannot be used: {error.Message} Its entries are shown as bytes.");
        }
        catch (BpfRemoteException error) when (error.Reason == ErrorReason.BtfNotAvailable)
        {
            Terminal.Say($"The types of map {map.Id} are not to be had: {error.Message}. Its entries are shown as bytes.");
        }

        return null;
    }

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

    /// <summary>What writes the entries of a dump.</summary>
    /// <param name="severalMaps">Whether it is of several maps.</param>
    /// <param name="resumed">Whether it begins in the middle of a map.</param>
    public EntryWriter EntryWriterForDump(bool severalMaps, bool resumed) => Settings.Format switch
    {
        OutputFormat.Json => new JsonEntryWriter(Output, Settings.JsonStyle, severalMaps, resumed),
        OutputFormat.Ndjson => new JsonLinesEntryWriter(Output, JsonStyle.Compact),
        OutputFormat.Csv => new CsvEntryWriter(Output),
        OutputFormat.Raw => new RawEntryWriter(Output),
        _ => new TableEntryWriter(Output, severalMaps, Terminal.Colour),
    };

    /// <summary>What writes the one entry of a lookup.</summary>
    public EntryWriter EntryWriterForLookup() => Settings.Format == OutputFormat.Json
        ? new JsonLinesEntryWriter(Output, Settings.JsonStyle)
        : EntryWriterForDump(severalMaps: false, resumed: false);

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
