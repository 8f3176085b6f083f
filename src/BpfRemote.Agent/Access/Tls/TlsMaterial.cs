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
    public SslServerAuthenticationOptions HandshakeOptions() => new()
    {
        ServerCertificateContext = server,
#pragma warning disable CA5398 // an operating system may still choose 1.0 and 1.1
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
        ClientCertificateRequired = clientAuthorities is not null,
        CertificateChainPolicy = ClientPolicy(),
        RemoteCertificateValidationCallback = (_, certificate, _, errors) => IsWelcome(certificate, errors),

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

    private bool IsWelcome(X509Certificate? certificate, SslPolicyErrors errors) => certificate is null
        ? !isCertificateRequired
        : errors == SslPolicyErrors.None && certificate is X509Certificate2 client && ClientCertificate.PrincipalOf(client) is not null;
}
