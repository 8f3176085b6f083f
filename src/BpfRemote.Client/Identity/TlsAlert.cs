using System.Security.Cryptography;

namespace BpfRemote.Client.Identity;

/// <summary>What an agent says when it ends a TLS connection (RFC 8446, section 6.2).</summary>
internal static class TlsAlert
{
    /// <summary>What to do where an agent wants a certificate.</summary>
    public const string GiveClientCertificate = "Give a TLS certificate file and a TLS key file.";

    /// <summary>What to do where an agent refuses one.</summary>
    public const string CheckClientCertificate =
        "Check the TLS certificate file: the agent's client CA must have issued it, for clients, and it must not have expired.";

    // How OpenSSL packs its errors: the library that has it, and its reason; alerts are reasons from 1000 on.
    private const int LibraryShift = 23;
    private const int LibraryMask = 0xff;
    private const int SslLibrary = 20;
    private const int ReasonMask = 0x7f_ffff;
    private const int FirstAlert = 1000;
    private const int LastAlert = FirstAlert + byte.MaxValue;

    /// <summary>The alert that an error was caused by; <see langword="null"/> where none was.</summary>
    public static IdentityException? Find(Exception? error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            // .NET hands OpenSSL's error on as the HResult.
            if (cause is CryptographicException { HResult: int code }
                && ((code >> LibraryShift) & LibraryMask) == SslLibrary
                && (code & ReasonMask) is >= FirstAlert and <= LastAlert and int reason)
            {
                return Describe(reason - FirstAlert, cause);
            }
        }

        return null;
    }

    private static IdentityException Describe(int alert, Exception cause)
    {
        (string what, string advice) = alert switch
        {
            42 => ("it refused the client certificate (bad_certificate)", CheckClientCertificate),
            43 => ("it refused the client certificate (unsupported_certificate)", CheckClientCertificate),
            44 => ("it refused the client certificate (certificate_revoked)", CheckClientCertificate),
            45 => ("it refused the client certificate (certificate_expired)", CheckClientCertificate),
            46 => ("it refused the client certificate (certificate_unknown)", CheckClientCertificate),
            48 => ("it refused the client certificate (unknown_ca)", CheckClientCertificate),
            49 => ("it refused the client certificate (access_denied)", CheckClientCertificate),
            116 => ("it wants a client certificate (certificate_required)", GiveClientCertificate),
            40 => ("it refused the TLS handshake (handshake_failure), perhaps for want of a client certificate", GiveClientCertificate),
            70 => ("it speaks neither TLS 1.2 nor TLS 1.3 (protocol_version)", "Is it an agent?"),
            120 => ("it does not speak HTTP/2 (no_application_protocol)", "Is it an agent?"),
            112 => ("it does not know the TLS server name (unrecognized_name)", "Check the host in the address, or the TLS server name."),
            _ => ($"it ended TLS with the alert {alert}", "Its log may say why."),
        };
        return new(what, advice, cause);
    }
}
