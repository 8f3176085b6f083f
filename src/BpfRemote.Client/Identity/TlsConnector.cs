using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BpfRemote.Client.Identity;

/// <summary>
/// Secures connections to an agent: checks its certificate and presents the caller's. Files are read for each connection.
/// </summary>
/// <param name="options">Whose files to use.</param>
/// <param name="host">The host of the address.</param>
internal sealed class TlsConnector(BpfRemoteClientOptions options, string host)
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly string _serverName = options.TlsServerName ?? host;
    private volatile bool _filesWereGood;
    private volatile bool _wasAccepted;

    /// <summary>Secures a connection.</summary>
    /// <param name="transport">The connection, which the result owns; a failure disposes it.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="IdentityException">The two sides do not accept each other, or a file cannot be used.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask<Stream> SecureAsync(Stream transport, CancellationToken cancellationToken)
    {
#pragma warning disable CA2000 // the caller owns it, and a failure disposes it
        TlsStream stream = new(transport);
#pragma warning restore CA2000
        try
        {
            (ClientCertificate? certificate, X509Certificate2Collection? roots) = ReadFiles();
            try
            {
                await ShakeHandsAsync(stream, certificate, roots, cancellationToken).ConfigureAwait(false);
                stream.AwaitAnswer(Ended, () => _wasAccepted = true);
                return stream;
            }
            finally
            {
                certificate?.Dispose();
                PemCertificates.Dispose(roots ?? []);
            }
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private (ClientCertificate? Certificate, X509Certificate2Collection? Roots) ReadFiles()
    {
        ClientCertificate? certificate = null;
        try
        {
            certificate = options is { TlsCertificateFile: { } certificatePath, TlsKeyFile: { } keyPath }
                ? ClientCertificate.Read(certificatePath, keyPath)
                : null;
            X509Certificate2Collection? roots = null;
            if (options.TlsCaFile is { } caPath)
            {
                IdentityFile file = new("TLS CA file", caPath);
                roots = PemCertificates.Parse(file, file.ReadText());
            }

            _filesWereGood = true;
            return (certificate, roots);
        }
        catch (IdentityException error)
        {
            certificate?.Dispose();
            throw _filesWereGood ? IdentityFile.MaybePassing(error) : error;
        }
    }

    private async Task ShakeHandsAsync(
        TlsStream stream, ClientCertificate? certificate, X509Certificate2Collection? roots, CancellationToken cancellationToken)
    {
        ServerCertificateCheck check = new(_serverName, options.TlsCaFile);
        SslClientAuthenticationOptions handshake = new()
        {
            TargetHost = _serverName,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
#pragma warning disable CA5398 // the least that the agent takes too, whatever the system would allow
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398

            // A resumed session would keep the identity of a certificate that was replaced.
            AllowTlsResume = false,
            ClientCertificateContext = certificate?.Context,
            CertificateChainPolicy = PolicyFor(roots),
            RemoteCertificateValidationCallback = check.Accepts,
        };
        try
        {
            await stream.AuthenticateAsClientAsync(handshake, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is AuthenticationException or IOException
            && (check.Refusal ?? TlsAlert.Find(error)) is { } refusal)
        {
            throw refusal;
        }
        catch (AuthenticationException error)
        {
            throw new IdentityException(
                $"the TLS handshake failed ({error.GetBaseException().Message.TrimEnd('.')})",
                "Does an agent with TLS listen there?",
                error);
        }
    }

    // Who was accepted before has more likely met an agent that ends.
    private IdentityException Ended(Exception? cause)
    {
        if (TlsAlert.Find(cause) is { } alert)
        {
            return alert;
        }

        const string What = "it closed the connection after the TLS handshake, as an agent does that ";
        (string reason, string advice) = options.TlsCertificateFile is null
            ? ("wants a client certificate", TlsAlert.GiveClientCertificate)
            : ("refuses the client certificate", TlsAlert.CheckClientCertificate);
        return new(What + reason, advice, cause) { MayPass = _wasAccepted };
    }

    private static X509ChainPolicy PolicyFor(X509Certificate2Collection? roots)
    {
        X509ChainPolicy policy = new()
        {
            ApplicationPolicy = { ServerAuthentication },
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        if (roots is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(roots);
        }

        return policy;
    }
}
