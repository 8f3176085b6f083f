using System.Net.Sockets;

namespace BpfRemote.Agent.Audit;

/// <summary>Sends audit lines to systemd's journal by its native protocol: one datagram an entry, a field a line.</summary>
/// <param name="path">The journal's socket.</param>
internal sealed class JournalSink(string path = JournalSink.DefaultPath) : IAuditSink
{
    /// <summary>Where the journal listens.</summary>
    public const string DefaultPath = "/run/systemd/journal/socket";

    private readonly Lock _lock = new();
    private Socket? _socket;

    /// <summary>SYSLOG_FACILITY 13 is the audit log's; PRIORITY 6 is informational.</summary>
    private static ReadOnlySpan<byte> Head => "SYSLOG_IDENTIFIER=bpfremote-audit\nSYSLOG_FACILITY=13\nPRIORITY=6\nMESSAGE="u8;

    public void Write(ReadOnlySpan<byte> line)
    {
        byte[] entry = [.. Head, .. line, (byte)'\n'];
        lock (_lock)
        {
            try
            {
                (_socket ??= Connect()).Send(entry);
            }
            catch (SocketException e)
            {
                Close();
                throw new IOException($"{path}: {e.Message}", e);
            }
        }
    }

    public void Reopen()
    {
        lock (_lock)
        {
            Close();
        }
    }

    public void Dispose() => Close();

    private Socket Connect()
    {
        // A journal that does not keep up must fail the line, not hold the call.
        Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
