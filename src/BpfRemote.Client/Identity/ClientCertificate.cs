using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BpfRemote.Client.Identity;

/// <summary>The caller's certificate, its key, and the certificates that lead from it to its root, for one handshake.</summary>
internal sealed class ClientCertificate : IDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _chain;

    private ClientCertificate(X509Certificate2 certificate, X509Certificate2Collection chain)
    {
        _certificate = certificate;
        _chain = chain;
        Context = SslStreamCertificateContext.Create(certificate, chain, offline: true);
    }

    /// <summary>What the handshake sends.</summary>
    public SslStreamCertificateContext Context { get; }

    /// <param name="certificatePath">A PEM file: the certificate, then its intermediates.</param>
    /// <param name="keyPath">A PEM file: its key, not encrypted.</param>
    /// <exception cref="IdentityException">The files cannot be read, or are not that.</exception>
    public static ClientCertificate Read(string certificatePath, string keyPath)
    {
        IdentityFile certificateFile = new("TLS certificate file", certificatePath);
        IdentityFile keyFile = new("TLS key file", keyPath);
        string certificatePem = certificateFile.ReadText();
        string keyPem = keyFile.ReadText();
        X509Certificate2Collection chain = PemCertificates.Parse(certificateFile, certificatePem);
        try
        {
            if (!keyPem.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            {
                throw keyFile.Error("holds no private key in PEM");
            }

            if (keyPem.Contains("ENCRYPTED", StringComparison.Ordinal))
            {
                throw keyFile.Error("is encrypted, and there is no password to be had");
            }

            return new(X509Certificate2.CreateFromPem(certificatePem, keyPem), chain);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            PemCertificates.Dispose(chain);
            throw keyFile.Error($"does not hold the key of the certificate in '{certificatePath}'", error);
        }
        catch
        {
            PemCertificates.Dispose(chain);
            throw;
        }
    }

    public void Dispose()
    {
        _certificate.Dispose();
        PemCertificates.Dispose(_chain);
    }
}
