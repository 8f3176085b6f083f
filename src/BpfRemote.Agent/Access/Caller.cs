using System.Net;
using Grpc.Core;

namespace BpfRemote.Agent.Access;

/// <summary>Who calls, as the transport or a token proves it.</summary>
/// <param name="Principal">One string: <c>unix:uid=0</c>, <c>x509:spiffe://example.org/dashboard</c>, <c>jwt:issuer#subject</c>,
/// <c>anonymous</c>.</param>
/// <param name="Groups">Groups of the principal: <c>unix-group:gid=990</c>, <c>jwt-group:issuer#claim=value</c>.</param>
/// <param name="Peer">Where the connection comes from: <c>unix:pid=42</c>, or an address and port.</param>
internal sealed record Caller(string Principal, IReadOnlyList<string> Groups, string Peer)
{
    /// <summary>Whoever reaches a plaintext listener.</summary>
    public const string Anonymous = "anonymous";

    /// <summary>Characters of a principal: what goes to logs and into error details is bounded.</summary>
    public const int MaxLength = 512;

    /// <summary>When what proves the identity loses its force; null for not before the connection ends.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The caller of a call, once it has been identified.</summary>
    public static Caller Of(ServerCallContext context) => context.GetHttpContext().Features.Get<Caller>()
        ?? throw new InvalidOperationException("the call was not identified");

    /// <summary>Somebody that nothing is known of but where the connection comes from.</summary>
    public static Caller AnonymousAt(EndPoint? peer) => new(Anonymous, [], $"{peer}");
}
