using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BpfRemote.Agent.Tests.Harness;

/// <summary>A certificate authority that issues whatever it is asked for.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly ECDsa _key;

    private TestAuthority(X509Certificate2 certificate, ECDsa key)
    {
        Certificate = certificate;
        _key = key;
    }

    /// <summary>The authority's own certificate.</summary>
    public X509Certificate2 Certificate { get; }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>A root.</summary>
    public static TestAuthority Create(string name)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = RequestAuthority(name, key);
        return new(request.CreateSelfSigned(Now - (2 * Day), Now + (2 * Day)), key);
    }

    /// <summary>An authority below this one.</summary>
    public TestAuthority IssueAuthority(string name)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new(Sign(RequestAuthority(name, key), Now - Day, Now + Day), key);
    }

    /// <summary>A certificate of a client or server, with its key.</summary>
    public X509Certificate2 Issue(CertificateWish wish)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = Sign(wish.Request(key), Now + wish.ValidFrom, Now + wish.ValidTo);
        return certificate.CopyWithPrivateKey(key);
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private static CertificateRequest RequestAuthority(string name, ECDsa key) => new($"CN={name}", key, HashAlgorithmName.SHA256)
    {
        CertificateExtensions =
        {
            new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true),
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true),
        },
    };

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset from, DateTimeOffset to)
    {
        byte[] serial = new byte[16];
        Random.Shared.NextBytes(serial);
        return request.Create(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), from, to, serial);
    }
}
