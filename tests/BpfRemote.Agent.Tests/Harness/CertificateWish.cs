using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BpfRemote.Agent.Tests.Harness;

/// <summary>What a certificate is to be like.</summary>
internal sealed record CertificateWish
{
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private const string SubjectAlternativeName = "2.5.29.17";

    public string CommonName { get; init; } = "somebody";

    /// <summary>Extended key usages; none for no such extension.</summary>
    public IReadOnlyList<string> Usages { get; init; } = [ClientAuthentication];

    public IReadOnlyList<string> Uris { get; init; } = [];

    public IReadOnlyList<string> DnsNames { get; init; } = [];

    /// <summary>The alternative names as they are to be encoded, whatever that is; null for a proper encoding.</summary>
    public byte[]? RawAlternativeNames { get; init; }

    /// <summary>From now on.</summary>
    public TimeSpan ValidFrom { get; init; } = TimeSpan.FromHours(-1);

    /// <summary>From now on.</summary>
    public TimeSpan ValidTo { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A client whose name is a URI.</summary>
    public static CertificateWish Client(string uri) => new() { Uris = [uri] };

    /// <summary>A server on loopback.</summary>
    public static CertificateWish Server(string commonName) =>
        new() { CommonName = commonName, Usages = [ServerAuthentication], DnsNames = ["localhost"] };

    /// <summary>The request for such a certificate.</summary>
    public CertificateRequest Request(ECDsa key)
    {
        CertificateRequest request = new($"CN={CommonName}", key, HashAlgorithmName.SHA256);
        if (Usages.Count > 0)
        {
            OidCollection usages = [];
            foreach (string usage in Usages)
            {
                usages.Add(new Oid(usage));
            }

            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(usages, critical: false));
        }

        if (RawAlternativeNames is not null || Uris.Count + DnsNames.Count > 0)
        {
            request.CertificateExtensions.Add(new X509Extension(SubjectAlternativeName, RawAlternativeNames ?? Encode(), critical: false));
        }

        return request;
    }

    /// <summary>As <see cref="SubjectAlternativeNameBuilder"/> would, which refuses names that authorities do sign.</summary>
    private byte[] Encode()
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (string name in DnsNames)
            {
                writer.WriteCharacterString(UniversalTagNumber.IA5String, name, new Asn1Tag(TagClass.ContextSpecific, 2));
            }

            foreach (string uri in Uris)
            {
                writer.WriteCharacterString(UniversalTagNumber.IA5String, uri, new Asn1Tag(TagClass.ContextSpecific, 6));
            }
        }

        return writer.Encode();
    }
}
