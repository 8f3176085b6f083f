using System.Net.Sockets;

namespace BpfRemote.Client;

/// <summary>A connection without TLS, made when the agent has answered.</summary>
internal sealed class PlainStream : NetworkStream
{
    private readonly FirstAnswer _answer;

    /// <param name="socket">Connected; the stream owns it.</param>
    public PlainStream(Socket socket)
        : base(socket, ownsSocket: true) => _answer = new(base.ReadAsync, Ended);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _answer.HasArrived ? base.WriteAsync(buffer, cancellationToken) : _answer.AskAsync(base.WriteAsync, buffer, cancellationToken);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _answer.IsTaken ? base.ReadAsync(buffer, cancellationToken) : _answer.TakeAsync(buffer, cancellationToken);

    private static HttpRequestException Ended(Exception? cause) =>
        new(HttpRequestError.ConnectionError, "it closed the connection before it answered", cause);
}
