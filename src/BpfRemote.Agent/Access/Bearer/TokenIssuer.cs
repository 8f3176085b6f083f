using System.Text;
using BpfRemote.Agent.Files;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace BpfRemote.Agent.Access.Bearer;

/// <summary>One issuer of bearer tokens: its keys, and what its tokens must be like.</summary>
internal sealed class TokenIssuer
{
    /// <summary>Signatures by a private key alone: with a shared secret, whoever can check a token could make one.</summary>
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    private const string CriticalExtensions = "crit";

    /// <summary>By how much clocks may differ.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    private readonly TokenIssuerOptions _options;
    private readonly ReloadedFile<IReadOnlyList<SecurityKey>> _keys;
    private readonly TimeProvider _time;

    /// <param name="options">Valid options.</param>
    /// <param name="keys">The issuer's public keys.</param>
    /// <param name="time">The clock that tokens expire by.</param>
    public TokenIssuer(TokenIssuerOptions options, ReloadedFile<IReadOnlyList<SecurityKey>> keys, TimeProvider time)
    {
        _options = options;
        _keys = keys;
        _time = time;
    }

    /// <summary>The <c>iss</c> of its tokens.</summary>
    public string Issuer => _options.Issuer;

    /// <summary>The public keys of a JWKS file that sign.</summary>
    /// <exception cref="FormatException">There is none in it.</exception>
    public static IReadOnlyList<SecurityKey> ReadKeys(byte[] jwks)
    {
        JsonWebKeySet set;
        try
        {
            set = new(Encoding.UTF8.GetString(jwks));
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"expected a JSON Web Key Set: {e.InnerException?.Message ?? e.Message}", e);
        }

        SecurityKey[] keys = [.. set.Keys.Where(key =>
            key.Kty is JsonWebAlgorithmsKeyTypes.RSA or JsonWebAlgorithmsKeyTypes.EllipticCurve && key.Use is null or "sig")];
        return keys.Length > 0 ? keys : throw new FormatException("expected a JSON Web Key Set with at least one RSA or EC key that signs");
    }

    /// <summary>Validates a token of this issuer's.</summary>
    /// <param name="handler">Reads tokens.</param>
    /// <param name="token">The token.</param>
    /// <returns>Why it is refused, null where it is not.</returns>
    public async Task<string?> RefuseAsync(JsonWebTokenHandler handler, JsonWebToken token)
    {
        // RFC 7515: who does not know an extension that is critical must refuse the token. The handler passes over them.
        if (token.TryGetHeaderValue(CriticalExtensions, out object _))
        {
            return "the bearer token names critical extensions, and this agent knows none";
        }

        TokenValidationResult result = await handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = _options.Issuer,
            ValidAudience = _options.Audience,
            ValidAlgorithms = Algorithms,
            IssuerSigningKeys = _keys.Current,
            TryAllIssuerSigningKeys = false,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            LifetimeValidator = IsAlive,
        });
        return result.IsValid ? null : result.Exception switch
        {
            SecurityTokenInvalidAudienceException => $"the bearer token is for another audience; expected '{_options.Audience}'",
            SecurityTokenSignatureKeyNotFoundException => "the bearer token is signed by a key that the issuer's key file does not have",
            SecurityTokenInvalidLifetimeException => "the bearer token has expired or is not valid yet",
            SecurityTokenInvalidAlgorithmException => "the bearer token is signed by an algorithm that is not taken",
            _ => "the bearer token's signature does not hold",
        };
    }

    /// <summary>Principal and groups of a token that is valid.</summary>
    /// <returns>Null where it names no subject that can be written down.</returns>
    public Caller? CallerOf(JsonWebToken token, string peer)
    {
        string principal = $"jwt:{Issuer}#{token.Subject}";
        return string.IsNullOrEmpty(token.Subject) || !IsPlain(principal)
            ? null
            : new(
                principal,
                [
                    .. token.Claims
                        .Where(claim => _options.GroupsClaims.Contains(claim.Type) && claim.Value.Length > 0)
                        .Select(claim => $"jwt-group:{Issuer}#{claim.Type}={claim.Value}")
                        .Where(IsPlain),
                ],
                peer)
            {
                ExpiresAt = new DateTimeOffset(token.ValidTo, TimeSpan.Zero) + ClockSkew,
            };
    }

    private static bool IsPlain(string name) => name.Length <= Caller.MaxLength && !name.Any(char.IsControl);

    private bool IsAlive(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        DateTime now = _time.GetUtcNow().UtcDateTime;
        return expires is { } end && now < end + ClockSkew && (notBefore is not { } start || now >= start - ClockSkew);
    }
}
