using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace BpfRemote.Client.Identity;

/// <summary>The check of an agent's certificate in one handshake, which tells why it is refused.</summary>
/// <param name="serverName">The name that it must have.</param>
/// <param name="caFile">Where the roots are from; <see langword="null"/> for the system's.</param>
internal sealed class ServerCertificateCheck(string serverName, string? caFile)
{
    private const X509ChainStatusFlags Untrusted = X509ChainStatusFlags.UntrustedRoot
        | X509ChainStatusFlags.PartialChain
        | X509ChainStatusFlags.NotSignatureValid
        | X509ChainStatusFlags.Cyclic
        | X509ChainStatusFlags.ExplicitDistrust;

    /// <summary>Why the certificate is refused; <see langword="null"/> unless it is.</summary>
    public IdentityException? Refusal { get; private set; }

    /// <summary>A <see cref="RemoteCertificateValidationCallback"/>.</summary>
    public bool Accepts(object sender, X509Certificate? presented, X509Chain? chain, SslPolicyErrors errors)
    {
        Refusal = Judge(presented, chain, errors);
        return Refusal is null;
    }

    private IdentityException? Judge(X509Certificate? presented, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return null;
        }

        if (presented is not X509Certificate2 certificate || chain is null)
        {
            return new("it has no certificate", "Does an agent listen there?");
        }

        X509ChainStatusFlags status = chain.ChainStatus.Aggregate(
            X509ChainStatusFlags.NoError, static (all, each) => all | each.Status);
        if ((status & Untrusted) != 0)
        {
            return new(
                $"its certificate ({certificate.Subject}, issued by {certificate.Issuer}) is not trusted by "
                    + (caFile is not null ? $"the TLS CA file '{caFile}'" : "this system"),
                "Give the agent's root as the TLS CA file, and check that the agent sends its intermediates.");
        }

        if ((status & X509ChainStatusFlags.NotTimeValid) != 0)
        {
            return NotNow(chain);
        }

        if ((status & X509ChainStatusFlags.NotValidForUsage) != 0)
        {
            return new("its certificate is not one for servers (extended key usage)", "Is it an agent's certificate?");
        }

        return errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            ? new(
                $"its certificate is for {string.Join(", ", NamesOf(certificate))}, not for {serverName}",
                "Use a name of the certificate in the address, or as the TLS server name.")
            : new(
                $"its certificate is not valid ({Describe(chain)})",
                "Is it an agent's certificate?");
    }

    private static string Describe(X509Chain chain) =>
        string.Join(", ", chain.ChainStatus.Select(static each => each.StatusInformation.TrimEnd('.', '\n')));

    private static IdentityException NotNow(X509Chain chain)
    {
        X509Certificate2 certificate = chain.ChainElements
            .First(static each => each.ChainElementStatus.Any(static status => status.Status == X509ChainStatusFlags.NotTimeValid))
            .Certificate;
        string whose = certificate.Equals(chain.ChainElements[0].Certificate)
            ? "its certificate"
            : $"the certificate of its issuer {certificate.Subject}";
        (DateTime from, DateTime until) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        return until < TimeProvider.System.GetUtcNow().UtcDateTime
            ? new(FormattableString.Invariant($"{whose} expired at {until:u}"), "Renew it, or set this clock.")
            : new(FormattableString.Invariant($"{whose} is not valid before {from:u}"), "Is this clock right?");
    }

    private static string[] NamesOf(X509Certificate2 certificate)
    {
        X509SubjectAlternativeNameExtension? names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        string[] all = names is null
            ? []
            : [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(static ip => ip.ToString())];
        return all.Length > 0 ? all : [certificate.Subject];
    }
}
