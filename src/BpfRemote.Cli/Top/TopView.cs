namespace BpfRemote.Cli.Top;

/// <summary>Where refreshes are shown.</summary>
internal abstract class TopView
{
    private const int UnseenEntries = 20;

    /// <summary>How many entries are seen at once.</summary>
    public virtual int Capacity => UnseenEntries;

    /// <summary>Whether somebody watches, who is shown also what is not all known yet.</summary>
    public virtual bool IsWatched => false;

    /// <summary>Shows a refresh.</summary>
    public abstract void Show(Refresh refresh);

    /// <summary>Says what goes wrong and is tried again.</summary>
    public abstract void Tell(string message);

    /// <summary>Leaves everything as it was.</summary>
    public virtual void Close()
    {
    }
}
