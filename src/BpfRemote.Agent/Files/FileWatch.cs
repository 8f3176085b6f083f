using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Agent.Files;

/// <summary>Looks at the files that the agent reads again and again, and at once on SIGHUP.</summary>
/// <remarks>By their content and not by notifications of the file system: those get lost where a file is replaced through symbolic
/// links, as Kubernetes does it, or lies on a network file system.</remarks>
/// <param name="files">The files.</param>
/// <param name="onHangup">What else SIGHUP asks for.</param>
/// <param name="brokerHangups">The pipe by which the broker passes its SIGHUPs on; null for none.</param>
/// <param name="time">The clock.</param>
internal sealed class FileWatch(IEnumerable<IReloadedFile> files, Action onHangup, int? brokerHangups, TimeProvider time) : BackgroundService
{
    /// <summary>How long a change goes unnoticed at most.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PosixSignalRegistration? hangup = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            HangUp();
        });
        if (brokerHangups is { } pipe)
        {
            PassOn(pipe);
        }

        using PeriodicTimer timer = new(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Refresh();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The agent ends; of a host that is disposed of without a stop, it would be logged as a failure of this service.
        }
    }

    private void PassOn(int pipe)
    {
        // A thread of its own: a read of the pipe ends with the broker, and so does this process.
        Thread thread = new(() =>
        {
            using AnonymousPipeClientStream hangups = new(PipeDirection.In, new SafePipeHandle(pipe, ownsHandle: true));
            while (hangups.ReadByte() >= 0)
            {
                HangUp();
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
    }

    /// <summary>Looks at all files now, and does what else SIGHUP asks for.</summary>
    private void HangUp()
    {
        onHangup();
        Refresh();
    }

    private void Refresh()
    {
        foreach (IReloadedFile file in files)
        {
            file.Refresh();
        }
    }
}
