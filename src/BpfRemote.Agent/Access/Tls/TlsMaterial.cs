using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace BpfRemote.Agent.Access.Tls;

/// <summary>What a TLS listener serves with: its certificate, and the authorities whose clients it takes.</summary>
/// <param name="server">The certificate, with its key and its intermediates.</param>
/// <param name="clientAuthorities">The authorities; null where clients have no certificates.</param>
/// <param name="isCertificateRequired">Whether a client without a certificate is refused.</param>
internal sealed class TlsMaterial(
    SslStreamCertificateContext server, X509Certificate2Collection? clientAuthorities, bool isCertificateRequired)
{
    /// <summary>Reads certificate and key, and the authorities where there are some: all PEM.</summary>
    /// <param name="files">Contents: certificate (and its intermediates), key, and authorities or nothing.</param>
    /// <param name="isCertificateRequired">Whether a client without a certificate is refused.</param>
    /// <exception cref="CryptographicException">A file is no such PEM, or the key is another certificate's.</exception>
    public static TlsMaterial Read(byte[][] files, bool isCertificateRequired)
    {
        string chain = Encoding.UTF8.GetString(files[0]);
        X509Certificate2Collection intermediates = [];
        intermediates.ImportFromPem(chain);
        X509Certificate2 certificate = X509Certificate2.CreateFromPem(chain, Encoding.UTF8.GetString(files[1]));
        return new(
            SslStreamCertificateContext.Create(certificate, intermediates, offline: true),
            files.Length > 2 ? ReadAuthorities(files[2]) : null,
            isCertificateRequired);
    }

    /// <summary>How to shake hands with a client.</summary>
    /// <param name="refused">Is told why a client's certificate is refused.</param>
    public SslServerAuthenticationOptions HandshakeOptions(Action<string> refused) => new()
    {
        ServerCertificateContext = server,
#pragma warning disable CA5398 // an operating system may still choose 1.0 and 1.1
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
        ClientCertificateRequired = clientAuthorities is not null,
        CertificateChainPolicy = ClientPolicy(),
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            string? reason = Refuse(certificate as X509Certificate2, chain, errors);
            if (reason is not null)
            {
                refused(reason);
            }

            return reason is null;
        },

        // A session that is taken up again would bring back a client of an authority that is trusted no more.
        AllowTlsResume = false,
        AllowRenegotiation = false,
    };

    private static X509Certificate2Collection ReadAuthorities(byte[] pem)
    {
        X509Certificate2Collection authorities = [];
        authorities.ImportFromPem(Encoding.UTF8.GetString(pem));
        return authorities.Count > 0 ? authorities : throw new CryptographicException("the file of client authorities holds no certificate");
    }

    private X509ChainPolicy? ClientPolicy()
    {
        if (clientAuthorities is null)
        {
            return null;
        }

        X509ChainPolicy policy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck, // an authority is taken out of the file, or issues for hours only
            DisableCertificateDownloads = true,
            ApplicationPolicy = { new Oid(ClientCertificate.ClientAuthentication) },
        };
        policy.CustomTrustStore.AddRange(clientAuthorities);
        return policy;
    }

    /// <summary>Why a client is refused; null where it is not.</summary>
    private string? Refuse(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            return isCertificateRequired ? "it has no certificate" : null;
        }

        if (errors != SslPolicyErrors.None)
        {
            return $"its certificate '{certificate.Subject}' is not one of a client of the authorities that are trusted: "
                + string.Join(", ", (chain?.ChainStatus ?? []).Select(status => status.Status).Distinct());
        }

        return ClientCertificate.PrincipalOf(certificate) is null
            ? $"its certificate '{certificate.Subject}' has no client authentication among its usages, or no URI or DNS name that can be a principal"
            : null;
    }
}
