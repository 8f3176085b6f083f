using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace BpfRemote.Agent.Access.Tls;

/// <summary>Says by a client certificate, whose chain holds, who calls.</summary>
internal static class ClientCertificate
{
    /// <summary>The extended key usage of a client.</summary>
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private const string SubjectAlternativeName = "2.5.29.17";

    // GeneralName of RFC 5280.
    private static readonly Asn1Tag DnsName = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag Uri = new(TagClass.ContextSpecific, 6);

    /// <summary>The principal: the first URI among the subject's alternative names, else the first DNS name, never the common name.</summary>
    /// <returns>Null where there is none, or the certificate is not for clients.</returns>
    public static string? PrincipalOf(X509Certificate2 certificate)
    {
        if (!certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>()
            .Any(usage => usage.EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>().Any(oid => oid.Value == ClientAuthentication)))
        {
            return null;
        }

        (string? uri, string? dns) = AlternativeNames(certificate);
        string? name = uri ?? dns;
        return name is { Length: > 0 and <= Caller.MaxLength - 5 } && name.All(c => c is > ' ' and < '\x7f') ? $"x509:{name}" : null;
    }

    private static (string? Uri, string? Dns) AlternativeNames(X509Certificate2 certificate)
    {
        string? uri = null;
        string? dns = null;
        foreach (X509Extension extension in certificate.Extensions.Where(extension => extension.Oid?.Value == SubjectAlternativeName))
        {
            try
            {
                AsnReader names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
                while (names.HasData)
                {
                    Asn1Tag tag = names.PeekTag();
                    if (tag == Uri)
                    {
                        string text = names.ReadCharacterString(UniversalTagNumber.IA5String, Uri);
                        uri ??= text;
                    }
                    else if (tag == DnsName)
                    {
                        string text = names.ReadCharacterString(UniversalTagNumber.IA5String, DnsName);
                        dns ??= text;
                    }
                    else
                    {
                        names.ReadEncodedValue();
                    }
                }
            }
            catch (AsnContentException)
            {
                return (null, null);
            }
        }

        // A URI without a scheme would pass for a DNS name, and a DNS name with a colon for a URI.
        return uri is null
            ? (null, dns?.Contains(':', StringComparison.Ordinal) == true ? null : dns)
            : (uri.Contains(':', StringComparison.Ordinal) ? uri : null, null);
    }
}
