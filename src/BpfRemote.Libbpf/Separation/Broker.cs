using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Lockdown;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Libbpf.Separation;

/// <summary>The process that holds the privilege: it opens maps for a server that has none, and never looks into them.</summary>
public sealed class Broker : IDisposable
{
    private readonly MapAccess _mode;
    private readonly BrokerChannel _opens;
    private readonly BrokerChannel _walks;
    private readonly List<SafeFileHandle> _inherited = [];

    private Broker(MapAccess mode)
    {
        _mode = mode;
        (_opens, ServerOpens) = CreateChannel();
        (_walks, ServerWalks) = CreateChannel();
    }

    /// <summary>The file descriptor that the server inherits, for its <see cref="BrokerConnection"/>.</summary>
    public int ServerOpens { get; }

    /// <summary>The other one.</summary>
    public int ServerWalks { get; }

    /// <summary>Makes a broker, which serves later.</summary>
    /// <param name="mode">Which maps it opens.</param>
    /// <exception cref="BpfUnavailableException">Not Linux, no eBPF in the kernel, or libbpf missing or older than 1.1.</exception>
    public static Broker Create(MapAccess mode)
    {
        NativePrerequisites.Check();
        return new(mode);
    }

    /// <summary>Lets the server inherit a file that this process has opened.</summary>
    /// <returns>The file descriptor that it has in the server.</returns>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public int Share(SafeHandle file)
    {
        SafeFileHandle inherited = BrokerChannel.Inheritable(file);
        _inherited.Add(inherited);
        return (int)inherited.DangerousGetHandle();
    }

    /// <summary>Gives up what it has no use for, and serves until the server is gone. To be called by the thread that started the
    /// server, which then gives up its capabilities but those for opening maps.</summary>
    /// <param name="serverPid">The server. It holds maps only to read them, and counts as the owner of none.</param>
    /// <exception cref="BpfUnavailableException">The kernel refuses the lockdown.</exception>
    public void Serve(int serverPid)
    {
        // The server alone holds its ends now: when it goes, the channels end.
        _inherited.ForEach(file => file.Dispose());
        bool enumerates = _mode is MapAccess.Enumerate;
        ProcessLockdown.KeepCapabilities(
            enumerates ? CapabilitySet.SysAdmin | CapabilitySet.SysPtrace | CapabilitySet.DacReadSearch : CapabilitySet.None);
        BrokerRequests requests = new(new DirectAccess(serverPid), _mode);

        // Started now, it has no more capabilities than this thread is left.
        Thread walks = new(() => Serve(_walks, requests)) { IsBackground = true };
        walks.Start();
        ProcessLockdown.Apply(enumerates ? Duties.OpenPins | Duties.OpenIds : Duties.OpenPins);
        Serve(_opens, requests);

        // A walk may be under way still, whose answer goes nowhere: its channel must not be taken from under it.
        walks.Join();
    }

    /// <summary>Asks the server to end. Until it has, maps are opened for the calls that it still answers.</summary>
    public void HangUp() => _walks.HangUp();

    public void Dispose()
    {
        _opens.Dispose();
        _walks.Dispose();
        _inherited.ForEach(file => file.Dispose());
    }

    /// <summary>Answers request after request until the other end is gone.</summary>
    internal static void Serve(BrokerChannel channel, BrokerRequests requests)
    {
        try
        {
            while (channel.TryReceive(out BrokerMessage request))
            {
                requests.Answer(request, channel.Send);
            }
        }
        catch (BpfException e) when (e.Errno is Errno.EPIPE or Errno.ECONNRESET)
        {
            // The server went away with an answer under way.
        }
    }

    private (BrokerChannel Ours, int Theirs) CreateChannel()
    {
        (BrokerChannel ours, SafeFileHandle theirs) = BrokerChannel.CreatePair();
        _inherited.Add(theirs);
        return (ours, (int)theirs.DangerousGetHandle());
    }
}
