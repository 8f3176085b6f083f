using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace BpfRemote.Agent.Tests.Harness;

/// <summary>An issuer of bearer tokens that signs whatever it is asked for.</summary>
/// <param name="time">The clock that its tokens go by.</param>
internal sealed class TestIssuer(TimeProvider time) : IDisposable
{
    public const string Audience = "bpfremote";

    private readonly RSA _key = RSA.Create(2_048);

    public string Name { get; init; } = "https://issuer.example.org";

    public string KeyId { get; init; } = "key-1";

    /// <summary>The key as the issuer publishes it.</summary>
    public JsonObject PublicKey
    {
        get
        {
            RSAParameters parameters = _key.ExportParameters(includePrivateParameters: false);
            return new()
            {
                ["kty"] = "RSA",
                ["use"] = "sig",
                ["kid"] = KeyId,
                ["n"] = Base64Url.EncodeToString(parameters.Modulus),
                ["e"] = Base64Url.EncodeToString(parameters.Exponent),
            };
        }
    }

    /// <summary>The public key as PEM: what an attacker makes a secret of.</summary>
    public string PublicKeyPem => _key.ExportSubjectPublicKeyInfoPem();

    /// <summary>The public key as DER, likewise.</summary>
    public byte[] PublicKeyDer => _key.ExportSubjectPublicKeyInfo();

    /// <summary>A key set of keys.</summary>
    public static string KeySet(params IEnumerable<JsonObject> keys) =>
        new JsonObject { ["keys"] = new JsonArray([.. keys]) }.ToJsonString();

    /// <summary>A token that is good, but for the changes.</summary>
    /// <param name="claims">Changes the claims.</param>
    /// <param name="header">Changes the header.</param>
    public string Issue(Action<JsonObject>? claims = null, Action<JsonObject>? header = null) =>
        Compose(Header(header), Claims(claims), Sign);

    /// <summary>A header, but for the changes.</summary>
    public JsonObject Header(Action<JsonObject>? change = null)
    {
        JsonObject header = new() { ["alg"] = "RS256", ["kid"] = KeyId, ["typ"] = "JWT" };
        change?.Invoke(header);
        return header;
    }

    /// <summary>Claims that are good, but for the changes.</summary>
    public JsonObject Claims(Action<JsonObject>? change = null)
    {
        JsonObject claims = new()
        {
            ["iss"] = Name,
            ["aud"] = Audience,
            ["sub"] = "alice",
            ["nbf"] = After(TimeSpan.FromMinutes(-5)),
            ["exp"] = After(TimeSpan.FromMinutes(5)),
        };
        change?.Invoke(claims);
        return claims;
    }

    /// <summary>Signs with the issuer's key.</summary>
    public byte[] Sign(byte[] text) => _key.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    /// <summary>A moment from now on, as tokens spell it.</summary>
    public long After(TimeSpan span) => (time.GetUtcNow() + span).ToUnixTimeSeconds();

    /// <summary>A token of any parts.</summary>
    public static string Compose(JsonNode header, JsonNode claims, Func<byte[], byte[]> sign)
    {
        string text = $"{Encode(header.ToJsonString())}.{Encode(claims.ToJsonString())}";
        return $"{text}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    /// <summary>A part of a token.</summary>
    public static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    public void Dispose() => _key.Dispose();
}
