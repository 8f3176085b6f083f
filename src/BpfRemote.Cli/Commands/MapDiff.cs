using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Diffs;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary><c>map diff [SELECTOR] [--from FILE [--to FILE]] [--interval TIME]</c></summary>
internal sealed class MapDiff : RemoteCommand
{
    private readonly Argument<string[]> _words = Words(
        SelectorWords.Grammar,
        "MAP is id N, name NAME (of one map) or pinned PATH, on the node and in bundles; two dumps are compared without it.");

    private readonly Option<string?> _from = File("--from", "Compare from this file: a dump (-j or -o ndjson, or bpftool's -j), or a bundle.");
    private readonly Option<string?> _to = File("--to", "Compare to this file. [default: the map as it is now]");
    private readonly Option<TimeSpan?> _interval = CheckedOptions.Duration("--interval");
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Say only how many entries differ." };
    private readonly Option<bool> _exitCode = new("--exit-code") { Description = "Exit with 5 where anything differs." };
    private readonly Option<string?> _pace = Pacing.Option();
    private readonly SchemaOptions _schema;

    public MapDiff()
        : base("diff", "Compare a map with a file, two files, or a map with itself a while later.")
    {
        _interval.Description = "Compare the map as it is with how it is this long after.";
        Add(_words);
        foreach (Option option in (Option[])[_from, _to, _interval, _quiet, _exitCode, _pace])
        {
            Add(option);
        }

        _schema = new(this);
    }

    public override string Examples =>
        """
        bpfremote map diff name conn_table --interval 5s
        bpfremote -j map dump name routes > before.json; bpfremote map diff name routes --from before.json
        bpfremote map diff --from before.json --to after.json
        bpfremote map diff name routes --from monday.zip --to tuesday.zip     # bundles
        bpfremote map diff name routes --from routes.json --exit-code -q || echo drifted
        """;

    public override Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        session.ExpectTableOrJson();
        WordReader words = new(parse.GetValue(_words) ?? []);
        MapSelector? selector = words.AtEnd ? null : SelectorWords.Take(words);
        words.ExpectEnd();
        string? from = parse.GetValue(_from), to = parse.GetValue(_to);
        TimeSpan? interval = parse.GetValue(_interval);
        if (interval is null == from is null || (to is not null && from is null))
        {
            throw CommandException.Usage("expected --from FILE, --from FILE and --to FILE, or --interval TIME");
        }

        bool quiet = parse.GetValue(_quiet);
        return ScanMeter.RunAsync(session.Terminal, async meter =>
        {
            using Session? oldBundle = OpenBundle(session, from);
            using Session? nowBundle = OpenBundle(session, to);
            DiffSide old = await OpenAsync(session, oldBundle, selector, from, parse, meter, cancellationToken);
            DiffSide now = await OpenAsync(session, nowBundle, selector, to, parse, meter, cancellationToken);
            if (selector is not null && old is DumpSide && now is DumpSide)
            {
                throw CommandException.Usage("a map is named, and neither file is a bundle: two dumps are compared without it");
            }

            DiffWriter? writer = quiet ? null : WriterFor(session);
            MapSchema? schema = await now.FindSchemaAsync(cancellationToken) ?? await old.FindSchemaAsync(cancellationToken);
            MapComparison comparison = new(writer, schema);
            try
            {
                await comparison.RunAsync(old, now, () => WaitAsync(session.Time, interval, cancellationToken), cancellationToken);
                writer?.End();
            }
            catch (Exception error) when (writer is not null && Failure.Of(error) is { Message.Length: > 0 } failure
                && error is not OutputException && writer.Fail(failure.Message))
            {
                return failure.ExitCode;
            }

            Summarise(session, comparison, quiet);
            return parse.GetValue(_exitCode) && comparison.IsDifferent ? ExitCode.Different : ExitCode.Done;
        });
    }

    private static Option<string?> File(string name, string description) => new(name) { Description = description, HelpName = "FILE" };

    private static Task WaitAsync(TimeProvider time, TimeSpan? interval, CancellationToken cancellationToken) =>
        interval is { } wait ? Task.Delay(wait, time, cancellationToken) : Task.CompletedTask;

    private async Task<DiffSide> OpenAsync(
        Session session,
        Session? bundle,
        MapSelector? selector,
        string? path,
        ParseResult parse,
        ScanMeter meter,
        CancellationToken cancellationToken)
    {
        if (path is not null && bundle is null)
        {
            return new DumpSide(path);
        }

        if (selector is null)
        {
            string where = path is null ? "on the node" : $"in {path}";
            throw CommandException.Usage($"expected a map: 'id N', 'name NAME' or 'pinned PATH' {where}");
        }

        Session holder = bundle ?? session;
        Map map = await holder.SelectSingleAsync(selector, cancellationToken);
        return new ScanSide(holder, selector, map, _schema.Read(parse, holder), Pacing.Read(parse.GetValue(_pace)), meter);
    }

    // Null where the file is none.
    private static Session? OpenBundle(Session session, string? path) => path is not null && IsBundle(path)
        ? new(
            session.Settings with { Agent = new() { Address = BpfRemoteClientOptions.BundleScheme + path } },
            session.Terminal,
            session.Output,
            session.Time)
        : null;

    // A ZIP file begins with this, and no JSON does.
    private static bool IsBundle(string path)
    {
        try
        {
            using FileStream file = System.IO.File.OpenRead(path);
            Span<byte> start = stackalloc byte[2];
            return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual("PK"u8);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"can't read '{path}': {error.Message}");
        }
    }

    private static DiffWriter WriterFor(Session session) => session.Settings.Format switch
    {
        OutputFormat.Json => new JsonDiffWriter(session.Output, session.Settings.JsonStyle, isArray: true),
        OutputFormat.Ndjson => new JsonDiffWriter(session.Output, JsonStyle.Compact, isArray: false),
        _ => new TextDiffWriter(session.Output, session.Terminal.Width, session.Terminal.Colour),
    };

    // The result where nothing else is; else, to people, what goes with it.
    private static void Summarise(Session session, MapComparison comparison, bool quiet)
    {
        string text = $"{comparison.Added} added, {comparison.Removed} removed, {comparison.Changed} changed, {comparison.Same} same";
        if (session.Settings.Format == OutputFormat.Table)
        {
            if (quiet)
            {
                session.Output.Write($"{text}\n");
            }
            else
            {
                session.Output.Flush();
                session.Terminal.Say(text);
            }
        }
        else if (quiet)
        {
            session.WriteJson([comparison], asArray: false, static (json, counts) =>
            {
                json.WriteStartObject();
                json.WriteNumber("added", counts.Added);
                json.WriteNumber("removed", counts.Removed);
                json.WriteNumber("changed", counts.Changed);
                json.WriteNumber("same", counts.Same);
                json.WriteEndObject();
            });
        }
    }
}
