using System.CommandLine;
using BpfRemote.Cli.Arguments;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Commands;

/// <summary><c>node impact SELECTOR</c></summary>
internal sealed class NodeImpact : RemoteCommand
{
    private readonly Argument<string[]> _words = Words(SelectorWords.Grammar, SelectorWords.Description);
    private readonly Option<string?> _pace = Pacing.Option();

    public NodeImpact()
        : base("impact", "Scan a map, and say what that took from the node and from the tracing programs that run on it.")
    {
        Add(_words);
        Add(_pace);
    }

    public override string Examples =>
        """
        bpfremote node impact name conn_table
        bpfremote -j node impact id 42 --pace full | jq .longest_call_us
        """;

    public override async Task<ExitCode> RunAsync(Session session, ParseResult parse, CancellationToken cancellationToken)
    {
        session.ExpectTableOrJson();
        WordReader words = new(parse.GetValue(_words) ?? []);
        MapSelector selector = SelectorWords.Take(words);
        words.ExpectEnd();
        Pace pace = Pacing.Read(parse.GetValue(_pace));
        Map map = await session.SelectSingleAsync(selector, cancellationToken);

        Dictionary<uint, ProgramReference> before = await ReadProgramsAsync(session, cancellationToken);
        ScanImpact impact = new(map, session.Time);
        await ScanMeter.RunAsync(session.Terminal, async meter =>
        {
            ScanOptions options = new() { Include = Include.CountOnly, Pace = pace, OnResume = meter.Resuming };
            meter.Begin(map.Name, map.MaxEntries);
            await foreach (MapBatch batch in session.Client.Scan(Session.ScanTarget(selector, map), options).WithCancellation(cancellationToken))
            {
                impact.Take(batch.Cost);
                meter.Advance(batch.Count);
            }

            impact.End();
            return ExitCode.Done;
        });
        impact.Compare(before, await ReadProgramsAsync(session, cancellationToken));

        if (session.Settings.Format == OutputFormat.Table)
        {
            ImpactText.Write(impact, pace, session.Output, session.Terminal.Colour);
        }
        else
        {
            session.WriteJson([impact], asArray: false, ImpactJson.Write);
        }

        return ExitCode.Done;
    }

    /// <summary>The programs that use a map which the caller may list, by id.</summary>
    private static async Task<Dictionary<uint, ProgramReference>> ReadProgramsAsync(Session session, CancellationToken cancellationToken)
    {
        Dictionary<uint, ProgramReference> programs = [];
        await foreach (Map map in session.Client.ListMapsAsync(new() { View = MapView.Full }, cancellationToken))
        {
            foreach (ProgramReference program in map.Programs)
            {
                programs.TryAdd(program.Id, program);
            }
        }

        return programs;
    }
}
