using System.Globalization;
using BpfRemote.Client;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace BpfRemote.Cli.Output;

/// <summary>Shows on standard error how far a scan is; nothing where no terminal would show it undisturbed.</summary>
internal sealed class ScanMeter
{
    private readonly Terminal _terminal;
    private readonly ProgressTask? _bar;

    private ScanMeter(Terminal terminal, ProgressTask? bar)
    {
        _terminal = terminal;
        _bar = bar;
    }

    /// <summary>Runs a scan with a meter.</summary>
    /// <param name="terminal">Where to show it.</param>
    /// <param name="scan">The scan.</param>
    public static Task<ExitCode> RunAsync(Terminal terminal, Func<ScanMeter, Task<ExitCode>> scan)
    {
        // A bar among the entries of a terminal would tear both, also where they come to it through `head` or `jq`.
        if (!terminal.ErrorIsTerminal || terminal.OutputIsTerminal || terminal.OutputIsPipe)
        {
            return scan(new(terminal, bar: null));
        }

        IAnsiConsole console = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(terminal.Error),
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
        });
        Progress progress = console.Progress()
            .AutoClear(true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ProgressBarColumn(), new EntriesColumn(), new ElapsedTimeColumn());
        return terminal.DrawAsync(() => progress.StartAsync(context => scan(new(terminal, context.AddTask("scanning")))));
    }

    /// <summary>A map's scan begins.</summary>
    /// <param name="name">What to call it.</param>
    /// <param name="entries">The most entries it may have; 0 where that is not known.</param>
    public void Begin(string name, ulong entries)
    {
        if (_bar is not null)
        {
            _bar.Description = Markup.Escape(name);
            _bar.MaxValue = Math.Max(1, entries);
            _bar.IsIndeterminate = entries == 0;
            _bar.Value = 0;
        }
    }

    /// <summary>Entries have been written.</summary>
    public void Advance(int entries) => _bar?.Increment(entries);

    /// <summary>What a user is told of a scan that was interrupted.</summary>
    public static string Describe(ScanResume resume) => string.Create(
        CultureInfo.InvariantCulture, $"interrupted, trying again in {resume.Delay.TotalSeconds:0.0} s (try {resume.Try})");

    /// <summary>The scan was interrupted and will be tried again.</summary>
    public void Resuming(ScanResume resume)
    {
        string text = Describe(resume);
        if (_bar is not null)
        {
            _bar.Description = text;
        }
        else
        {
            _terminal.Say($"{text}: {resume.Cause.Message}");
        }
    }

    private sealed class EntriesColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(string.Create(CultureInfo.InvariantCulture, $"{task.Value:N0} entries, {task.Speed ?? 0:N0}/s"));
    }
}
