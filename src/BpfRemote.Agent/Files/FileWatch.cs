using System.Runtime.InteropServices;

namespace BpfRemote.Agent.Files;

/// <summary>Looks at the files that the agent reads again and again, and at once on SIGHUP.</summary>
/// <remarks>By their content and not by notifications of the file system: those get lost where a file is replaced through symbolic
/// links, as Kubernetes does it, or lies on a network file system.</remarks>
/// <param name="files">The files.</param>
/// <param name="onHangup">What else SIGHUP asks for.</param>
/// <param name="time">The clock.</param>
internal sealed class FileWatch(IEnumerable<IReloadedFile> files, Action onHangup, TimeProvider time) : BackgroundService
{
    /// <summary>How long a change goes unnoticed at most.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Looks at all files now, and does what else SIGHUP asks for.</summary>
    public void HangUp()
    {
        onHangup();
        Refresh();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PosixSignalRegistration? hangup = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            HangUp();
        });
        using PeriodicTimer timer = new(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Refresh();
        }
    }

    private void Refresh()
    {
        foreach (IReloadedFile file in files)
        {
            file.Refresh();
        }
    }
}
