using System.Net.Security;

namespace BpfRemote.Client.Identity;

/// <summary>A TLS connection that tells why an agent refuses it, also where that is known only after the handshake.</summary>
/// <remarks>
/// The caller's side of the handshake may be over before the agent judges the caller's certificate, and an agent on .NET and Linux then
/// closes the connection without an alert. The first write, HTTP/2's preface, therefore waits for the agent's first byte: SETTINGS, or
/// else an alert or the end, which HTTP/2 would not pass on.
/// </remarks>
internal sealed class TlsStream(Stream transport) : SslStream(transport, leaveInnerStreamOpen: false)
{
    private readonly byte[] _firstByte = new byte[1];
    private bool _isAccepted;
    private bool _hasFirstByte;

    /// <summary>Makes the error of an agent that closes the connection and does not say why.</summary>
    public required Func<Exception?, IdentityException> Closed { get; init; }

    /// <summary>Told that the agent has answered.</summary>
    public required Action Accepted { get; init; }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _isAccepted ? base.WriteAsync(buffer, cancellationToken) : WriteFirstAsync(buffer, cancellationToken);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_hasFirstByte || buffer.IsEmpty)
        {
            return base.ReadAsync(buffer, cancellationToken);
        }

        _hasFirstByte = false;
        _firstByte.CopyTo(buffer);
        return ValueTask.FromResult(1);
    }

    private async ValueTask WriteFirstAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        Exception? broken = null;
        try
        {
            await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException error)
        {
            // The agent is gone, and what it said before is still to be read.
            broken = error;
        }

        try
        {
            _hasFirstByte = await base.ReadAsync(_firstByte, cancellationToken).ConfigureAwait(false) > 0;
        }
        catch (IOException error)
        {
            broken = error;
        }

        if (!_hasFirstByte)
        {
            throw TlsAlert.Find(broken) ?? Closed(broken);
        }

        _isAccepted = true;
        Accepted();
    }
}
