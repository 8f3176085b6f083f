using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BpfRemote.Client.Tests;

/// <summary>A certificate authority of a test's own, with the directory of its files.</summary>
internal sealed class TestAuthority : IDisposable
{
    private const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    private const string ClientUsage = "1.3.6.1.5.5.7.3.2";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-tls-");
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _intermediate;

    public TestAuthority()
    {
        using ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest root = AuthorityRequest("CN=Test root", rootKey);
        _root = root.CreateSelfSigned(_now.AddDays(-10), _now.AddDays(10));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest intermediate = AuthorityRequest("CN=Test intermediate", key);
        using X509Certificate2 issued = intermediate.Create(_root, _now.AddDays(-9), _now.AddDays(9), RandomNumberGenerator.GetBytes(8));
        _intermediate = issued.CopyWithPrivateKey(key);
        CaFile = Write("ca.pem", _root.ExportCertificatePem());
    }

    /// <summary>The root, in PEM.</summary>
    public string CaFile { get; }

    /// <summary>A server's certificate for localhost, issued by the root.</summary>
    public X509Certificate2 ForServer(int validUntilDays = 1, string usage = ServerUsage)
    {
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddDnsName("node-1.example");
        return Issue(_root, "CN=agent", usage, names, validUntilDays);
    }

    /// <summary>A certificate for localhost whose extended key usage is a client's.</summary>
    public X509Certificate2 ForServerWithClientUsage() => ForServer(usage: ClientUsage);

    /// <summary>A new certificate of a client, issued by the intermediate, which is written after it, and its key.</summary>
    public X509Certificate2 WriteClient(string certificateFile, string keyFile)
    {
        SubjectAlternativeNameBuilder names = new();
        names.AddUri(new("spiffe://example/dashboard"));
        X509Certificate2 certificate = Issue(_intermediate, "CN=dashboard", ClientUsage, names, 1);
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(certificateFile, $"{certificate.ExportCertificatePem()}\n{_intermediate.ExportCertificatePem()}\n");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }

    public string PathOf(string name) => Path.Combine(_directory.FullName, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    /// <summary>Whether a chain was built from this root with what the peer sent alone.</summary>
    public bool Vouches(X509Certificate2 certificate, X509Chain? sent)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ExtraStore.AddRange(sent?.ChainPolicy.ExtraStore ?? []);
        return chain.Build(certificate);
    }

    public void Dispose()
    {
        _root.Dispose();
        _intermediate.Dispose();
        _directory.Delete(recursive: true);
    }

    private static CertificateRequest AuthorityRequest(string name, ECDsa key)
    {
        CertificateRequest request = new(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request;
    }

    private X509Certificate2 Issue(
        X509Certificate2 issuer, string name, string usage, SubjectAlternativeNameBuilder names, int validUntilDays)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(usage)], false));
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 issued = request.Create(
            issuer, _now.AddDays(-8), _now.AddDays(validUntilDays), RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }
}
