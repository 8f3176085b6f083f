using System.Security.Cryptography.X509Certificates;
using BpfRemote.Agent.Access.Tls;
using BpfRemote.Agent.Tests.Harness;
using Xunit;

namespace BpfRemote.Agent.Tests.Access.Tls;

public sealed class ClientCertificateTests : IDisposable
{
    private readonly TestAuthority _authority = TestAuthority.Create("clients");

    [Fact]
    public void The_first_URI_goes_before_the_first_DNS_name() => Assert.Equal(
        "x509:spiffe://example.org/a",
        PrincipalOf(new() { DnsNames = ["b.example.org"], Uris = ["spiffe://example.org/a", "spiffe://example.org/admin"] }));

    [Fact]
    public void Without_a_URI_it_is_the_first_DNS_name() =>
        Assert.Equal("x509:a.example.org", PrincipalOf(new() { DnsNames = ["a.example.org", "admin.example.org"] }));

    [Fact]
    public void The_common_name_is_none() =>
        Assert.Null(PrincipalOf(new() { CommonName = "spiffe://example.org/admin" }));

    [Theory]
    [InlineData("admin.example.org")] // would pass for a DNS name
    [InlineData("")]
    [InlineData("spiffe://example.org/a b")]
    [InlineData("spiffe://example.org/a\n")]
    public void A_URI_that_is_none_names_nobody_also_beside_a_DNS_name(string uri) =>
        Assert.Null(PrincipalOf(new() { Uris = [uri], DnsNames = ["a.example.org"] }));

    [Theory]
    [InlineData("spiffe://example.org/admin")] // would pass for a URI
    [InlineData("")]
    [InlineData("a b")]
    public void A_DNS_name_that_is_none_names_nobody(string name) => Assert.Null(PrincipalOf(new() { DnsNames = [name] }));

    [Fact]
    public void A_name_that_is_too_long_names_nobody()
    {
        string longest = $"spiffe://example.org/{new string('a', 512 - 26)}";

        Assert.Equal($"x509:{longest}", PrincipalOf(CertificateWish.Client(longest)));
        Assert.Null(PrincipalOf(CertificateWish.Client(longest + "a")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("3003860541")] // a URI of 5 bytes with 1
    [InlineData("04020000")]
    [InlineData("30008600")] // after the end
    [InlineData("30038601ff")] // not ASCII
    public void Names_that_are_not_encoded_as_they_should_be_are_none(string hex) =>
        Assert.Null(PrincipalOf(new() { RawAlternativeNames = Convert.FromHexString(hex) }));

    [Fact]
    public void Names_of_other_kinds_are_passed_over() => // an address, a DNS name, an e-mail address
        Assert.Equal("x509:a", PrincipalOf(new() { RawAlternativeNames = Convert.FromHexString("300C87047F000001820161810162") }));

    [Fact]
    public void A_certificate_that_is_not_for_clients_names_nobody()
    {
        CertificateWish wish = CertificateWish.Client("spiffe://example.org/a");

        Assert.Null(PrincipalOf(wish with { Usages = [] }));
        Assert.Null(PrincipalOf(wish with { Usages = [CertificateWish.ServerAuthentication] }));
        Assert.NotNull(PrincipalOf(wish with { Usages = [CertificateWish.ServerAuthentication, CertificateWish.ClientAuthentication] }));
    }

    public void Dispose() => _authority.Dispose();

    private string? PrincipalOf(CertificateWish wish)
    {
        using X509Certificate2 certificate = _authority.Issue(wish);
        return ClientCertificate.PrincipalOf(certificate);
    }
}
