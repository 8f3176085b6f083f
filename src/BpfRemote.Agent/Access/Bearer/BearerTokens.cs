using Grpc.Core;
using Microsoft.IdentityModel.JsonWebTokens;

namespace BpfRemote.Agent.Access.Bearer;

/// <summary>Says by a bearer token who calls.</summary>
/// <param name="issuers">The issuers whose tokens are taken.</param>
internal sealed class BearerTokens(IReadOnlyList<TokenIssuer> issuers)
{
    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };

    /// <summary>Whether any token is taken.</summary>
    public bool HasIssuers => issuers.Count > 0;

    /// <summary>Validates a token.</summary>
    /// <param name="token">The token.</param>
    /// <param name="peer">Where it came from.</param>
    /// <exception cref="RpcException">UNAUTHENTICATED / CREDENTIALS_INVALID: why it is refused.</exception>
    public async Task<Caller> IdentifyAsync(string token, string peer)
    {
        JsonWebToken parsed;
        try
        {
            parsed = _handler.ReadJsonWebToken(token);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or Microsoft.IdentityModel.Tokens.SecurityTokenException)
        {
            throw CallerIdentity.Refused("the bearer token is no JSON Web Token");
        }

        TokenIssuer issuer = issuers.FirstOrDefault(issuer => issuer.Issuer == parsed.Issuer)
            ?? throw CallerIdentity.Refused("the bearer token is of an issuer that this agent does not take tokens of");
        return await issuer.RefuseAsync(_handler, parsed) is { } reason
            ? throw CallerIdentity.Refused(reason)
            : issuer.CallerOf(parsed, peer) ?? throw CallerIdentity.Refused("the bearer token names no subject, or one too long");
    }
}
