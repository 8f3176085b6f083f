using System.Net.Security;

namespace BpfRemote.Client.Identity;

/// <summary>A TLS connection that tells why an agent refuses it, also where that is known only after the handshake.</summary>
/// <remarks>
/// In TLS 1.3 the caller's side of the handshake is over before the agent judges the caller's certificate, so its alert is what is
/// read first. A write may fail before that, on the socket that the agent has closed, and would hide the alert.
/// </remarks>
internal sealed class TlsStream(Stream transport) : SslStream(transport, leaveInnerStreamOpen: false)
{
    private volatile bool _isAnswered;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _isAnswered ? base.ReadAsync(buffer, cancellationToken) : ReadFirstAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _isAnswered ? base.WriteAsync(buffer, cancellationToken) : WriteFirstAsync(buffer, cancellationToken);

    private async ValueTask<int> ReadFirstAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int length = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _isAnswered |= length > 0;
        return length;
    }

    private async ValueTask WriteFirstAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException) when (!_isAnswered)
        {
            // The connection is at its end, which the reader is told too, and with the reason.
        }
    }
}
