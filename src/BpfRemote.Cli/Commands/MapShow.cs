using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary><c>map show [SELECTOR]</c></summary>
internal sealed class MapShow : RemoteCommand
{
    private readonly Argument<string[]> _words = Words(SelectorWords.Grammar, SelectorWords.Description + " Without it, all maps are listed.");

    public MapShow()
        : base("show", "List the maps of the node, or describe one.")
    {
        Aliases.Add("list");
        Add(_words);
    }

    public override string Examples =>
        """
        bpfremote map list                          # every map
        bpfremote map list -f                       # and where it is pinned, which programs and processes use it
        bpfremote map show name connections         # all about the maps of that name
        bpfremote map show pinned /sys/fs/bpf/routes
        bpfremote -j map list | jq '.[] | select(.type == "lru_hash").id'
        """;

    public override async Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        session.ExpectTableOrJson();
        WordReader words = new(parse.GetValue(_words) ?? []);
        MapSelector? selector = words.AtEnd ? null : SelectorWords.Take(words);
        words.ExpectEnd();

        IReadOnlyList<Map> maps = selector is not null
            ? await session.SelectAsync(selector, session.View, cancellationToken)
            : await session.Client.ListMapsAsync(new() { View = session.View }, cancellationToken).ToListAsync(cancellationToken);
        await WriteAsync(session, maps, listing: selector is null, cancellationToken);
        return ExitCode.Done;
    }

    private static async Task WriteAsync(Session session, IReadOnlyList<Map> maps, bool listing, CancellationToken cancellationToken)
    {
        bool references = session.Settings.ShowReferences;
        if (session.Settings.Format != OutputFormat.Table)
        {
            session.WriteJson(maps, asArray: listing, (json, map) => MapJson.Write(json, map, references));
        }
        else if (listing)
        {
            MapText.Table(maps, session.Terminal.Width, references).Write(session.Output, session.Terminal.Colour);
            if (references && maps.Any(static map => !map.OwnersComplete))
            {
                session.Output.Flush();
                session.Terminal.Say("other processes may use these maps too: the agent does not see all of the node's");
            }
        }
        else
        {
            SchemaSource schemas = SchemaSource.Own(session, directory: null);
            foreach (Map map in maps)
            {
                MapSchema? schema = await schemas.FindAsync(map, selector: null, cancellationToken);
                MapText.Card(map, schema, references).Write(session.Output, session.Terminal.Colour);
            }
        }
    }
}
