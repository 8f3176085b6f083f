using BpfRemote.Agent.Access.Bearer;
using BpfRemote.Agent.Errors;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Access;

/// <summary>Says who a call is from: by its bearer token where it has one, else by its connection.</summary>
/// <param name="tokens">The issuers whose tokens are taken.</param>
internal sealed class CallerIdentity(BearerTokens tokens)
{
    private const string Header = "authorization";
    private const string Scheme = "Bearer ";

    /// <summary>Identifies the caller.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED / CREDENTIALS_INVALID.</exception>
    public async ValueTask<Caller> IdentifyAsync(ServerCallContext context)
    {
        ConnectionIdentity connection = OfConnection(context);
        if (context.RequestHeaders.Get(Header) is not { } header)
        {
            return connection.Caller ?? throw Refused(
                tokens.HasIssuers ? "expected a client certificate or a bearer token" : "expected a client certificate");
        }

        if (!connection.TakesTokens)
        {
            throw Refused("the call carries an authorization header, and bearer tokens are taken over TLS only, by agents with bearerTokens configured");
        }

        return header.Value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? await tokens.IdentifyAsync(header.Value[Scheme.Length..].Trim(), connection.Peer)
            : throw Refused("expected 'authorization: Bearer TOKEN'");
    }

    /// <summary>Whoever a call is from as far as its connection says: for records of calls that cannot be identified.</summary>
    public static Caller Suppose(ServerCallContext context)
    {
        ConnectionIdentity connection = OfConnection(context);
        return connection.Caller ?? new(Caller.Anonymous, [], connection.Peer);
    }

    /// <summary>A call whose credentials do not tell who it is from.</summary>
    public static RpcException Refused(string message) =>
        ServiceError.Create(StatusCode.Unauthenticated, ErrorReason.CredentialsInvalid, message);

    private static ConnectionIdentity OfConnection(ServerCallContext context) =>
        context.GetHttpContext().Features.Get<ConnectionIdentity>()
        ?? throw new InvalidOperationException("the listener did not identify its connection");
}
