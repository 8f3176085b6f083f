using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary><c>map lookup SELECTOR key [hex] BYTES…</c></summary>
internal sealed class MapLookup : RemoteCommand
{
    private readonly Argument<string[]> _words = Words(
        SelectorWords.Grammar + " key BYTES",
        "MAP is id N, name NAME (of one map) or pinned PATH. BYTES are words in the order of memory: decimal, 0x1f or octal 017; "
            + "after 'key hex' all hexadecimal. Queues and stacks have no key: without one, their next value is shown and stays.");

    public MapLookup()
        : base("lookup", "Print the value of a key.") => Add(_words);

    public override string Examples =>
        """
        bpfremote map lookup id 42 key 1 0 0 0             # the number 1 as 4 bytes, little endian
        bpfremote map lookup id 42 key hex 0a 00 00 01
        bpfremote map lookup pinned /sys/fs/bpf/routes key 32 0 0 0 10 0 0 1
        bpfremote -j map lookup name settings key 0 0 0 0 | jq .value
        bpfremote map lookup name work_queue               # a queue's next value
        """;

    public override async Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        WordReader words = new(parse.GetValue(_words) ?? []);
        MapSelector selector = SelectorWords.Take(words);
        byte[]? unsizedKey = KeyWords.Take(words);
        IReadOnlyList<Map> maps = await session.SelectAsync(selector, MapView.Basic, cancellationToken);
        if (maps.Count > 1)
        {
            throw new CommandException(
                ExitCode.Failed, $"several maps match this handle: id {string.Join(", id ", maps.Select(static map => map.Id))}");
        }

        Map map = maps[0];
        byte[] key = KeyWords.Fit(unsizedKey, map.KeySize);
        MapSchema? schema = session.Settings.ShowsTypes ? await session.FindSchemaAsync(map, cancellationToken) : null;
        bool found = key.Length == 0
            ? await PeekAsync(session, map, schema, cancellationToken)
            : await LookupAsync(session, map, schema, key, cancellationToken);
        if (found)
        {
            return ExitCode.Done;
        }

        if (session.Settings.Format != OutputFormat.Json)
        {
            throw new CommandException(ExitCode.NotFound, "key not found");
        }

        session.Output.Write("null\n"u8);
        return ExitCode.NotFound;
    }

    private static async Task<bool> LookupAsync(
        Session session, Map map, MapSchema? schema, byte[] key, CancellationToken cancellationToken)
    {
        LookupResult result;
        try
        {
            result = await session.Client.LookupAsync(MapSelectors.ById(map.Id), key, cancellationToken);
        }
        catch (BpfRemoteException error) when (error.Metadata.TryGetValue("errno", out string? errno))
        {
            throw new CommandException(ExitCode.Failed, $"lookup failed: {ErrnoText.Of(errno)}");
        }

        if (!result.IsFound(0))
        {
            return false;
        }

        Write(session, map, result.Layout, schema, key, result.Value(0));
        return true;
    }

    private static async Task<bool> PeekAsync(Session session, Map map, MapSchema? schema, CancellationToken cancellationToken)
    {
        await foreach (MapBatch batch in session.Client.Scan(MapSelectors.ById(map.Id), new() { Limit = 1 })
            .WithCancellation(cancellationToken))
        {
            if (batch.Count > 0)
            {
                Write(session, map, batch.Layout, schema, batch.Key(0), batch.Value(0));
                return true;
            }
        }

        return false;
    }

    private static void Write(
        Session session, Map map, Layout layout, MapSchema? schema, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        EntryWriter writer = session.EntryWriterForLookup();
        writer.BeginMap(map, layout, schema);
        writer.WriteEntry(key, value);
        writer.EndMap(complete: true);
    }
}
