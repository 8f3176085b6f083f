using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary><c>bundle create FILE [MAP…]</c></summary>
internal sealed class BundleCreate : RemoteCommand
{
    private static readonly BundleOptions Defaults = new();

    private readonly Argument<string[]> _words = Words(
        $"FILE {SelectorWords.Grammar}",
        $"FILE is the bundle to write. {SelectorWords.Description} Several may follow each other: their entries go in. "
            + "All maps of the node are described in any case.");

    private readonly Option<bool> _all = new("--all") { Description = "Put in the entries of every map." };

    private readonly Option<bool> _noEntries = new("--no-entries")
    {
        Description = "Put in no entries: the node, its maps, their users and types only.",
    };

    private readonly Option<ulong> _maxEntries = CheckedOptions.Count("--max-entries", ulong.MaxValue - 1);
    private readonly Option<ulong> _maxBytes = CheckedOptions.Size("--max-bytes");
    private readonly Option<ulong> _maxTotal = CheckedOptions.Size("--max-total");

    private readonly Option<string[]> _deny = new("--deny")
    {
        Description = "Leave out the entries of maps with such a name or pin, in any case, also where they are chosen. "
            + "May be repeated; adds to: " + string.Join(' ', BundleOptions.DefaultDeny),
        HelpName = "GLOB",
    };

    private readonly Option<bool> _noDefaultDeny = new("--no-default-deny") { Description = "Leave out only what --deny says." };
    private readonly Option<string?> _pace = Pacing.Option();

    public BundleCreate()
        : base("create", "Write a node's maps into one file, for a support case: read it with --address file:FILE.")
    {
        _maxEntries.Description = $"The most entries of one map. [default: {Defaults.MaxEntriesPerMap}]";
        _maxBytes.Description = $"The most bytes of keys and values of one map. [default: {MapText.Size(Defaults.MaxBytesPerMap)}]";
        _maxTotal.Description = $"The most bytes of keys and values of all maps. [default: {MapText.Size(Defaults.MaxTotalBytes)}]";
        Add(_words);
        foreach (Option option in (Option[])[_all, _noEntries, _maxEntries, _maxBytes, _maxTotal, _deny, _noDefaultDeny, _pace])
        {
            Add(option);
        }
    }

    public override string Examples =>
        """
        bpfremote bundle create case.zip name conn_table pinned /sys/fs/bpf/routes
        bpfremote bundle create case.zip --all --max-entries 10000 --deny 'customer_*'
        bpfremote bundle create case.zip --no-entries        # who uses which map, and nothing of what is in them
        bpfremote --address file:case.zip map dump name conn_table
        """;

    public override async Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        session.ExpectTableOrJson();
        WordReader words = new(parse.GetValue(_words) ?? []);
        string path = words.Take("a file to write");
        List<MapSelector> selectors = [];
        while (!words.AtEnd)
        {
            selectors.Add(SelectorWords.Take(words));
        }

        bool all = parse.GetValue(_all), withEntries = !parse.GetValue(_noEntries);
        if (selectors.Count > 0 == all && (all || withEntries))
        {
            throw CommandException.Usage("expected the maps whose entries to put in, or --all, or --no-entries");
        }

        HashSet<uint> ids = [];
        foreach (MapSelector selector in selectors)
        {
            ids.UnionWith((await session.SelectAsync(selector, MapView.Basic, cancellationToken)).Select(static map => map.Id));
        }

        BundleOptions options = Read(parse) with { MapIds = selectors.Count > 0 ? ids : null, WithEntries = withEntries };
        return await ScanMeter.RunAsync(session.Terminal, async meter =>
        {
            meter.Begin(path, entries: 0);
            BundleOptions watched = options with { OnMap = map => meter.Advance((int)map.Entries), OnResume = meter.Resuming };
            await CreateAsync(session, path, watched, cancellationToken);
            BundleInspect.Write(session, Bundle.Open(path));
            return ExitCode.Done;
        });
    }

    private BundleOptions Read(ParseResult parse)
    {
        string[] deny = parse.GetValue(_deny) ?? [];
        return new()
        {
            MaxEntriesPerMap = parse.GetValue(_maxEntries) is > 0 and var entries ? entries : Defaults.MaxEntriesPerMap,
            MaxBytesPerMap = parse.GetValue(_maxBytes) is > 0 and var bytes ? bytes : Defaults.MaxBytesPerMap,
            MaxTotalBytes = parse.GetValue(_maxTotal) is > 0 and var total ? total : Defaults.MaxTotalBytes,
            Deny = parse.GetValue(_noDefaultDeny) ? deny : [.. deny, .. BundleOptions.DefaultDeny],
            Pace = Pacing.Read(parse.GetValue(_pace)),
        };
    }

    private static async Task CreateAsync(Session session, string path, BundleOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await Bundle.CreateAsync(session.Client, path, options, cancellationToken);
        }
        catch (ArgumentException error)
        {
            throw CommandException.Usage(error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"can't write '{path}': {error.Message}");
        }
    }
}
