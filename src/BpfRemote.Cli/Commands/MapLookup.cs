using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary><c>map lookup SELECTOR key [hex] BYTES…</c></summary>
internal sealed class MapLookup : RemoteCommand
{
    private readonly Argument<string[]> _words = Words(
        SelectorWords.Grammar + " key BYTES|FIELD=VALUE",
        "MAP is id N, name NAME (of one map) or pinned PATH. BYTES are words in the order of memory: decimal, 0x1f or octal 017; "
            + "after 'key hex' all hexadecimal. Where the type of the keys is known, each FIELD is given its VALUE as it is shown; a key "
            + "without fields is =VALUE. Queues and stacks have no key: without one, their next value is shown and stays.");

    private readonly SchemaOptions _schema;
    private readonly DisplayOptions _display;

    public MapLookup()
        : base("lookup", "Print the value of a key.")
    {
        Add(_words);
        _schema = new(this);
        _display = new(this);
    }

    public override string Examples =>
        """
        bpfremote map lookup id 42 key 1 0 0 0             # the number 1 as 4 bytes, little endian
        bpfremote map lookup id 42 key hex 0a 00 00 01
        bpfremote map lookup id 42 key =1                  # the same number, where its type is known
        bpfremote map lookup name connections key saddr=10.0.0.1 daddr=10.96.0.10 sport=32768 dport=443 proto=6
        bpfremote map lookup pinned /sys/fs/bpf/routes key 32 0 0 0 10 0 0 1
        bpfremote -j map lookup name settings key 0 0 0 0 | jq .value
        bpfremote map lookup name work_queue               # a queue's next value
        """;

    public override async Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        WordReader words = new(parse.GetValue(_words) ?? []);
        MapSelector selector = SelectorWords.Take(words);
        IReadOnlyList<(string Path, string Text)>? fields = FieldWords.TryTake(words);
        byte[]? bytes = fields is null ? KeyWords.Take(words) : null;
        Map map = await session.SelectSingleAsync(selector, cancellationToken);
        Display display = _display.Read(parse, session);
        MapSchema? schema = await _schema.Read(parse, session).FindAsync(map, selector, cancellationToken);
        byte[] key = fields is null
            ? KeyWords.Fit(bytes, map.KeySize)
            : FieldWords.Encode(fields, map, schema, display.RawValues);
        Entry? found = key.Length == 0
            ? await PeekAsync(session.Client, map, cancellationToken)
            : await LookupAsync(session.Client, map, key, cancellationToken);
        if (found is not null)
        {
            EntryWriter writer = EntryWriters.ForLookup(session, display);
            writer.BeginMap(map, found.Layout, schema);
            writer.WriteEntry(found.Key, found.Value);
            writer.EndMap(complete: true);
            return ExitCode.Done;
        }

        if (session.Settings.Format != OutputFormat.Json)
        {
            throw new CommandException(ExitCode.NotFound, "key not found");
        }

        session.Output.Write("null\n"u8);
        return ExitCode.NotFound;
    }

    private static async Task<Entry?> LookupAsync(BpfRemoteClient client, Map map, byte[] key, CancellationToken cancellationToken)
    {
        try
        {
            LookupResult result = await client.LookupAsync(MapSelectors.ById(map.Id), key, cancellationToken);
            return result.IsFound(0) ? new(result.Layout, key, result.Value(0).ToArray()) : null;
        }
        catch (BpfRemoteException error) when (error.Metadata.TryGetValue("errno", out string? errno))
        {
            throw new CommandException(ExitCode.Failed, $"lookup failed: {ErrnoText.Of(errno)}");
        }
    }

    private static async Task<Entry?> PeekAsync(BpfRemoteClient client, Map map, CancellationToken cancellationToken)
    {
        await foreach (MapBatch batch in client.Scan(MapSelectors.ById(map.Id), new() { Limit = 1 }).WithCancellation(cancellationToken))
        {
            if (batch.Count > 0)
            {
                return new(batch.Layout, batch.Key(0).ToArray(), batch.Value(0).ToArray());
            }
        }

        return null;
    }

    private sealed record Entry(Layout Layout, byte[] Key, byte[] Value);
}
