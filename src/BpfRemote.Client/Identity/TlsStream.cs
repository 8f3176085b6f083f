using System.Net.Security;

namespace BpfRemote.Client.Identity;

/// <summary>
/// A connection with TLS, made when the agent has answered. It derives from .NET's, since HTTP would secure any other stream again.
/// </summary>
/// <remarks>
/// The caller's side of the handshake may be over before the agent judges the caller's certificate, and an agent on .NET and Linux then
/// closes the connection without an alert.
/// </remarks>
internal sealed class TlsStream(Stream transport) : SslStream(transport, leaveInnerStreamOpen: false)
{
    // None during the handshake, which does not pass through here.
    private FirstAnswer? _answer;

    /// <summary>Listens for what the agent says first; to be called once, after the handshake.</summary>
    /// <param name="ended">As in <see cref="FirstAnswer"/>.</param>
    /// <param name="arrived">Called when the agent has answered.</param>
    public void AwaitAnswer(Func<Exception?, Exception> ended, Action arrived) => _answer = new(base.ReadAsync, ended, arrived);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _answer is { HasArrived: false } answer
            ? answer.AskAsync(base.WriteAsync, buffer, cancellationToken)
            : base.WriteAsync(buffer, cancellationToken);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _answer is { IsTaken: false } answer
            ? answer.TakeAsync(buffer, cancellationToken)
            : base.ReadAsync(buffer, cancellationToken);
}
