namespace BpfRemote.Cli.Top;

/// <summary>Prints each refresh as a table, and what it costs on standard error.</summary>
internal sealed class TableView(Session session, RefreshPace pace, string hostname, bool rawValues) : TopView
{
    // The title, the cost, the header and the prompt of the shell after them.
    private const int OtherLines = 4;

    public override int Capacity => session.Terminal.OutputIsTerminal ? Math.Max(1, session.Terminal.Height - OtherLines) : base.Capacity;

    public override void Show(Refresh refresh)
    {
        new TopColumns(refresh.Map, rawValues).Write(session.Output, refresh.Entries, session.Terminal.Width, session.Terminal.Colour);
        session.Output.Flush();
        Tell(TopText.Title(refresh, hostname));
        Tell(TopText.Cost(refresh, pace));
    }

    public override void Tell(string message) => session.Terminal.Say(message);
}
