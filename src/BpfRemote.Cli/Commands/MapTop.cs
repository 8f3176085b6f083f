using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Top;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary><c>map top SELECTOR</c></summary>
internal sealed class MapTop : RemoteCommand
{
    private const int MaxEntries = 10_000;

    // The agent's default, for nodes that do not say.
    private const double UsualShare = 0.1;

    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(100);

    private readonly Argument<string[]> _words = Words(SelectorWords.Grammar, "MAP is id N, name NAME (of one map) or pinned PATH.");

    private readonly Option<string?> _sort = new("--sort")
    {
        Description = "The field of the value to compare, dotted where it is nested; of an array, the sum. "
            + "[default: what counts packets, bytes, hits or the like, else the first integer]",
        HelpName = "FIELD",
    };

    private readonly Option<string?> _by = CheckedOptions.Choice("--by", [], "rate", "value");
    private readonly Option<TimeSpan?> _interval = CheckedOptions.Duration("--interval");
    private readonly Option<ulong> _limit = CheckedOptions.Count("--limit", MaxEntries);
    private readonly Option<ulong> _count = CheckedOptions.Count("--count", ulong.MaxValue);
    private readonly Option<string?> _perCpu = CheckedOptions.Choice("--percpu", [], "sum", "max");

    private readonly Option<bool> _once = new("--once")
    {
        Description = "Print one refresh as a table and end; by rate, that takes two scans one interval apart.",
    };

    private readonly Option<bool> _rawValues = DisplayOptions.RawValues();
    private readonly SchemaOptions _schema;

    public MapTop()
        : base("top", "Show the entries whose numbers grow the fastest, or are the largest, again and again; q or Ctrl-C ends. "
            + "On a terminal in place; else one JSON object a line for each entry, with -j one document for each refresh.")
    {
        _by.Description = "Compare what the field grows by per second (default), or its value.";
        _interval.Description = "The time from one refresh to the next, such as 1s, 500ms or 2m; longer where refreshes would take more "
            + "of the node than gentle scans may. [default: 1s]";
        _limit.Description = "Show N entries. [default: what fits on the terminal, else 20]";
        _count.Description = "End after N refreshes.";
        _perCpu.Description = "Compare the sum (default) of what all CPUs have of a per-CPU map, or the largest.";
        Add(_words);
        foreach (Option option in (Option[])[_sort, _by, _interval, _limit, _count, _once, _perCpu, _rawValues])
        {
            Add(option);
        }

        _schema = new(this);
    }

    public override string Examples =>
        """
        bpfremote map top name conn_table                            # what grows the fastest
        bpfremote map top name conn_table --sort bytes --by value    # what is the largest
        bpfremote map top id 42 --once --limit 5
        bpfremote map top name counters --percpu max --interval 5s
        bpfremote map top name conn_table --count 10 | jq -c '[.formatted.key.saddr, .rate]'
        """;

    public override async Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        session.ExpectTableOrJson();
        WordReader words = new(parse.GetValue(_words) ?? []);
        MapSelector selector = SelectorWords.Take(words);
        words.ExpectEnd();
        TopOptions options = ReadOptions(parse);
        SchemaSource schemas = _schema.Read(parse, session);
        Node node = await session.Client.GetNodeAsync(cancellationToken);
        RefreshPace pace = new(options.Interval, node.Limits?.GentleCpuShare is > 0 and var share ? share : UsualShare);
        bool once = parse.GetValue(_once);
        TopView view = View(session, pace, node.Hostname, options, once);
        TopScan scan = new(session, selector, schemas, options, view.Tell);
        try
        {
            await UntilQuitAsync(session, view, new TopLoop(session, scan, view, pace, options), cancellationToken);
            return ExitCode.Done;
        }
        finally
        {
            view.Close();
        }
    }

    private TopOptions ReadOptions(ParseResult parse)
    {
        TimeSpan interval = parse.GetValue(_interval) ?? TimeSpan.FromSeconds(1);
        if (interval < ShortestInterval)
        {
            throw CommandException.Usage($"--interval is at least 100ms, got: {interval.TotalMilliseconds:0.###}ms");
        }

        bool once = parse.GetValue(_once);
        if (once && parse.GetValue(_count) > 0)
        {
            throw CommandException.Usage("--once contradicts --count");
        }

        return new()
        {
            Field = parse.GetValue(_sort),
            ByValue = parse.GetValue(_by) == "value",
            Interval = interval,
            Limit = parse.GetValue(_limit) is > 0 and var limit ? (int)limit : null,
            Count = once ? 1 : parse.GetValue(_count) is > 0 and var count ? count : null,
            PerCpu = parse.GetValue(_perCpu) == "max" ? PerCpuMode.Max : PerCpuMode.Sum,
            RawValues = parse.GetValue(_rawValues),
        };
    }

    private static TopView View(Session session, RefreshPace pace, string hostname, TopOptions options, bool once) => session switch
    {
        { Settings.Format: not OutputFormat.Table } => new JsonView(session, pace),
        { Terminal.CanRedraw: true } when !once => new ScreenView(session, pace, hostname, options.RawValues),
        { Terminal.OutputIsTerminal: false } when !once => new JsonView(session, pace),
        _ => new TableView(session, pace, hostname, options.RawValues),
    };

    private static async Task UntilQuitAsync(Session session, TopView view, TopLoop loop, CancellationToken cancellationToken)
    {
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task refreshing = loop.RunAsync(ended.Token);
        if (view.IsWatched && await Task.WhenAny(refreshing, session.Terminal.KeyPressed('q')) != refreshing)
        {
            await ended.CancelAsync();
            await refreshing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        await refreshing;
    }
}
