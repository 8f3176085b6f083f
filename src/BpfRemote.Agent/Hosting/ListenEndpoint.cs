using System.Net;
using System.Text;

namespace BpfRemote.Agent.Hosting;

/// <summary>Where the agent listens.</summary>
internal abstract record ListenEndpoint
{
    private const string UnixScheme = "unix://";
    private const string HttpScheme = "http://";
    private const string HttpsScheme = "https://";
    private const int MaxUnixPathBytes = 107;

    /// <summary>An address that Kestrel listens on, as a user would write it.</summary>
    public static string Spell(string kestrelUrl) => kestrelUrl.StartsWith("http://unix:", StringComparison.Ordinal)
        ? UnixScheme + kestrelUrl["http://unix:".Length..]
        : kestrelUrl;

    /// <summary>Parses an endpoint.</summary>
    /// <param name="text">As on the command line.</param>
    /// <param name="plaintext">Whether plain HTTP is allowed, on loopback.</param>
    /// <param name="error">What was expected, where it is none.</param>
    /// <returns>Null where it is none, or one that the agent refuses.</returns>
    public static ListenEndpoint? TryParse(string text, bool plaintext, out string error)
    {
        error = "";
        if (text.StartsWith(UnixScheme, StringComparison.Ordinal))
        {
            string path = text[UnixScheme.Length..];
            if (path is ['/', .., not '/'] && Encoding.UTF8.GetByteCount(path) <= MaxUnixPathBytes)
            {
                return new UnixEndpoint(path);
            }

            error = $"listen '{text}': expected unix:///absolute/path of at most {MaxUnixPathBytes} bytes";
        }
        else if (text.StartsWith(HttpScheme, StringComparison.Ordinal))
        {
            string host = text[HttpScheme.Length..].TrimEnd('/');
            if (!IPEndPoint.TryParse(host, out IPEndPoint? address) || !host.EndsWith($":{address.Port}", StringComparison.Ordinal))
            {
                error = $"listen '{text}': expected http://127.0.0.1:port or http://[::1]:port";
            }
            else if (!IPAddress.IsLoopback(address.Address))
            {
                error = $"listen '{text}': plain HTTP is served on loopback only; expected http://127.0.0.1:port or http://[::1]:port";
            }
            else if (!plaintext)
            {
                error = $"listen '{text}': plain HTTP shows maps to every local user; add --plaintext to allow it";
            }
            else
            {
                return new PlaintextEndpoint(address);
            }
        }
        else if (text.StartsWith(HttpsScheme, StringComparison.Ordinal))
        {
            string host = text[HttpsScheme.Length..].TrimEnd('/');
            if (IPEndPoint.TryParse(host, out IPEndPoint? address) && host.EndsWith($":{address.Port}", StringComparison.Ordinal))
            {
                return new TlsEndpoint(address);
            }

            error = $"listen '{text}': expected https://ip:port, such as https://0.0.0.0:7443 or https://[::]:7443";
        }
        else
        {
            error = $"listen '{text}': expected unix:///path, https://ip:port or http://127.0.0.1:port";
        }

        return null;
    }
}

/// <summary>A unix socket.</summary>
internal sealed record UnixEndpoint(string Path) : ListenEndpoint;

/// <summary>HTTP over TLS.</summary>
internal sealed record TlsEndpoint(IPEndPoint Address) : ListenEndpoint;

/// <summary>Plain HTTP on loopback.</summary>
internal sealed record PlaintextEndpoint(IPEndPoint Address) : ListenEndpoint;
