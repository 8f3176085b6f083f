using System.Net.Security;

namespace BpfRemote.Client.Identity;

/// <summary>A TLS connection that tells why an agent refuses it, also where that is known only after the handshake.</summary>
/// <remarks>
/// The caller's side of the handshake may be over before the agent judges the caller's certificate, and an agent on .NET and Linux then
/// closes the connection without an alert. The first write, HTTP/2's preface, therefore waits for the agent's first byte: SETTINGS, or
/// else an alert or the end. A connection that ended later, HTTP/2 would report without the reason.
/// </remarks>
internal sealed class TlsStream(Stream transport) : SslStream(transport, leaveInnerStreamOpen: false)
{
    private readonly byte[] _firstByte = new byte[1];
    private Task? _answer;
    private bool _isFirstByteRead;
    private bool _isAccepted;

    /// <summary>Makes the error of an agent that closes the connection and does not say why.</summary>
    public required Func<Exception?, IdentityException> Closed { get; init; }

    /// <summary>Told that the agent has answered.</summary>
    public required Action Accepted { get; init; }

    /// <summary>Listens for what the agent says first; to be called once, after the handshake.</summary>
    public void AwaitAnswer() => _answer = ReadFirstByteAsync();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _isAccepted || _answer is null
            ? base.WriteAsync(buffer, cancellationToken)
            : WriteFirstAsync(buffer, _answer, cancellationToken);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _isFirstByteRead || _answer is null
            ? base.ReadAsync(buffer, cancellationToken)
            : ReadFirstAsync(buffer, _answer, cancellationToken);

    private async Task ReadFirstByteAsync()
    {
        Exception? broken = null;
        try
        {
            if (await base.ReadAsync(_firstByte, CancellationToken.None).ConfigureAwait(false) > 0)
            {
                Accepted();
                return;
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            broken = error;
        }

        throw TlsAlert.Find(broken) ?? Closed(broken);
    }

    private async ValueTask WriteFirstAsync(ReadOnlyMemory<byte> buffer, Task answer, CancellationToken cancellationToken)
    {
        try
        {
            await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The connection is at its end, and the answer says why if anything does.
            await answer.WaitAsync(cancellationToken).ConfigureAwait(false);
            throw;
        }

        await answer.WaitAsync(cancellationToken).ConfigureAwait(false);
        _isAccepted = true;
    }

    private async ValueTask<int> ReadFirstAsync(Memory<byte> buffer, Task answer, CancellationToken cancellationToken)
    {
        await answer.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (buffer.IsEmpty)
        {
            return 0;
        }

        _isFirstByteRead = true;
        _firstByte.CopyTo(buffer);
        return _firstByte.Length;
    }
}
