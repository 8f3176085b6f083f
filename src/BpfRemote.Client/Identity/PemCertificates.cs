using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BpfRemote.Client.Identity;

/// <summary>The certificates of a PEM file.</summary>
internal static class PemCertificates
{
    /// <param name="file">Where they are from.</param>
    /// <param name="text">What it holds.</param>
    /// <returns>At least one, to be disposed of.</returns>
    /// <exception cref="IdentityException">There is none, or one is damaged.</exception>
    public static X509Certificate2Collection Parse(IdentityFile file, string text)
    {
        X509Certificate2Collection certificates = [];
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException error)
        {
            throw file.Error("holds a certificate that is damaged", error);
        }

        return certificates.Count > 0 ? certificates : throw file.Error("holds no certificate in PEM");
    }

    public static void Dispose(X509Certificate2Collection certificates)
    {
        foreach (X509Certificate2 certificate in certificates)
        {
            certificate.Dispose();
        }
    }
}
