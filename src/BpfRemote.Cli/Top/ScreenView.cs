using System.Text;
using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Top;

/// <summary>Shows refreshes in place, on the alternate screen of a terminal, which leaves the other one as it was.</summary>
internal sealed class ScreenView(Session session, RefreshPace pace, string hostname, bool rawValues) : TopView
{
    // Alternate screen, no cursor, and lines that are cut off rather than wrapped.
    private const string Enter = "\e[?1049h\e[?25l\e[?7l";
    private const string Leave = "\e[?7h\e[?25h\e[?1049l";
    private const string Home = "\e[H";
    private const string EraseLine = "\e[K";
    private const string EraseBelow = "\e[J";

    // Above the entries: what the map is, what the refresh costs, what goes wrong, and the titles of the columns.
    private const int OtherLines = 4;

    private Refresh? _shown;
    private string _message = "";
    private bool _isOpen;

    public override int Capacity => Math.Max(1, session.Terminal.Measured().Height - OtherLines);

    public override bool IsWatched => true;

    public override void Show(Refresh refresh)
    {
        _shown = refresh;
        Draw();
        _message = "";
    }

    public override void Tell(string message)
    {
        _message = message;
        Draw();
    }

    public override void Close()
    {
        if (!_isOpen)
        {
            return;
        }

        try
        {
            session.Output.Write(Leave);
            session.Output.Flush();
        }
        catch (OutputException)
        {
            // There is no terminal any more that would have to be left as it was.
        }
    }

    private void Draw()
    {
        Terminal terminal = session.Terminal.Measured();
        List<string> lines = [];
        if (_shown is not null)
        {
            lines.Add(TextStyle.Bold(TopText.Title(_shown, hostname), terminal.Colour));
            lines.Add(TopText.Cost(_shown, pace));
        }

        lines.Add(TextStyle.Dim(_message, terminal.Colour));
        if (_shown is not null)
        {
            lines.AddRange(Table(_shown, terminal));
        }

        IEnumerable<string> fitting = lines.Take(terminal.Height).Select(static line => line + EraseLine);
        session.Output.Write(_isOpen ? "" : Enter);
        _isOpen = true;
        session.Output.Write(Home + string.Join("\r\n", fitting) + EraseBelow);
        session.Output.Flush();
    }

    private string[] Table(Refresh refresh, Terminal terminal)
    {
        using MemoryStream text = new();
        OutputBuffer table = new(text);
        new TopColumns(refresh.Map, rawValues).Write(table, refresh.Entries, terminal.Width, terminal.Colour);
        table.Flush();
        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length).TrimEnd('\n').Split('\n');
    }
}
