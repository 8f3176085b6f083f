using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary><c>map dump SELECTOR</c></summary>
internal sealed class MapDump : RemoteCommand
{
    private readonly Argument<string[]> _words = Words(SelectorWords.Grammar, SelectorWords.Description);

    private readonly Option<ulong> _limit = CheckedOptions.Count("--limit", ulong.MaxValue);
    private readonly Option<ulong> _batchSize = CheckedOptions.Count("--batch-size", uint.MaxValue);
    private readonly Option<string?> _pace = Pacing.Option();
    private readonly SchemaOptions _schema;
    private readonly DisplayOptions _display;

    private readonly Option<string?> _resume = new("--resume")
    {
        Description = "Continue where the dump that printed this token stopped. Good for a day, until the node reboots.",
        HelpName = "TOKEN",
    };

    public MapDump()
        : base("dump", "Print all entries of a map, each exactly once where its type allows.")
    {
        _limit.Description = "Stop after about N entries and print how to resume. A hash bucket is never split: a few less may come, "
            + "or more where the first bucket alone is larger.";
        _batchSize.Description = "Entries in one response of the agent. [default: the agent's choice]";
        Add(_words);
        Add(_limit);
        Add(_resume);
        Add(_batchSize);
        Add(_pace);
        _schema = new(this);
        _display = new(this);
    }

    public override string Examples =>
        """
        bpfremote map dump id 42
        bpfremote -j map dump pinned /sys/fs/bpf/routes | jq length
        bpfremote -o ndjson map dump name connections > connections.ndjson
        bpfremote map dump name counters --percpu sum
        bpfremote map dump name legacy --btf legacy.o --key-type u32 --value-type 'struct stats'
        bpfremote map dump id 42 --limit 1000                    # the first thousand, and a token
        bpfremote map dump id 42 --limit 1000 --resume TOKEN     # the next thousand
        """;

    public override Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        WordReader words = new(parse.GetValue(_words) ?? []);
        MapSelector selector = SelectorWords.Take(words);
        words.ExpectEnd();
        ScanOptions options = new()
        {
            Limit = parse.GetValue(_limit),
            ContinuationToken = parse.GetValue(_resume),
            BatchSize = (uint)parse.GetValue(_batchSize),
            Pace = Pacing.Read(parse.GetValue(_pace)),
        };
        SchemaSource schemas = _schema.Read(parse, session);
        Display display = _display.Read(parse, session);
        return ScanMeter.RunAsync(session.Terminal, async meter =>
        {
            IReadOnlyList<Map> maps = await session.SelectAsync(selector, MapView.Basic, cancellationToken);
            if (maps.Count > 1 && options.ContinuationToken is not null)
            {
                throw CommandException.Usage($"--resume is for one map, and the name fits {maps.Count}: select by id");
            }

            return await new Dump(session, meter, selector, maps, options, schemas, display).RunAsync(cancellationToken);
        });
    }
}
