using System.Text;
using System.Text.Json.Nodes;
using BpfRemote.Agent.Access.Bearer;
using BpfRemote.Agent.Tests.Harness;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace BpfRemote.Agent.Tests.Access.Bearer;

public sealed class TokenIssuerTests : IDisposable
{
    private readonly TestIssuer _issuer = new(TimeProvider.System);

    [Fact]
    public void Keys_that_sign_are_kept_and_others_dropped()
    {
        JsonObject secret = new() { ["kty"] = "oct", ["kid"] = "secret", ["k"] = "c2VjcmV0" };
        JsonObject encrypts = _issuer.PublicKey;
        encrypts["use"] = "enc";
        encrypts["kid"] = "encrypts";
        JsonObject forAnything = _issuer.PublicKey;
        forAnything.Remove("use");
        forAnything["kid"] = "anything";

        IReadOnlyList<SecurityKey> keys = Read(TestIssuer.KeySet(secret, encrypts, forAnything, _issuer.PublicKey));

        Assert.Equal(["anything", _issuer.KeyId], keys.Select(key => key.KeyId));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{ "keys": [] }""")]
    [InlineData("""{ "keys": null }""")]
    [InlineData("""{ "keys": [null] }""")]
    [InlineData("""{ "keys": [7] }""")]
    [InlineData("""{ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }""")]
    public void A_file_without_a_key_that_signs_is_refused(string json) =>
        Assert.Contains("expected a JSON Web Key Set", Assert.Throws<FormatException>(() => Read(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Options_name_everything_that_is_wrong() => Assert.Equal(
        ["bearerTokens[0].issuer", "bearerTokens[0].audience", "bearerTokens[0].jwksFile", "bearerTokens[0].groupsClaims"],
        new TokenIssuerOptions { Issuer = "https://a#b", GroupsClaims = ["a=b"] }.Violations("bearerTokens[0]").Select(line => line.Split(' ')[0]));

    public void Dispose() => _issuer.Dispose();

    private static IReadOnlyList<SecurityKey> Read(string json) => TokenIssuer.ReadKeys(Encoding.UTF8.GetBytes(json));
}
