using System.Net;
using System.Net.Sockets;
using System.Text;
using BpfRemote.Client.Identity;
using Grpc.Net.Client;

namespace BpfRemote.Client;

/// <summary>Makes a channel to the agent that an address names.</summary>
internal static class AgentChannel
{
    // sun_path holds 108 bytes, the terminating zero included.
    private const int MaxSocketPathBytes = 107;

    // The agent keeps scan responses under 3.5 MiB; a page of 1,000 maps with all their owners may be larger.
    private const int MaxReceiveBytes = 16 << 20;

    // Enough for the agent to write ahead of a remote reader; .NET grows it where the round trip asks for more. The agent is told of
    // what was taken for every eighth of it, and each time is one more wake-up for both.
    private const int StreamWindowBytes = 4 << 20;

    /// <exception cref="ArgumentException">The address is none an agent can have.</exception>
    public static GrpcChannel Open(BpfRemoteClientOptions options)
    {
        (Uri uri, EndPoint? socket) = Parse(options.Address, options.Plaintext);
        TlsConnector? tls = uri.Scheme == Uri.UriSchemeHttps ? new(options, uri.IdnHost) : null;
        SocketsHttpHandler handler = new()
        {
            // With a callback of its own the channel leaves reconnecting to the handler, which does not sit out a back-off:
            // MapScan has one, and only one of them should decide.
            ConnectCallback = async (context, cancellationToken) =>
            {
                Socket connected = await ConnectAsync(socket ?? context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
                return tls is null ? new PlainStream(connected)
                    : await tls.SecureAsync(new NetworkStream(connected, ownsSocket: true), cancellationToken).ConfigureAwait(false);
            },
            ConnectTimeout = options.ConnectTimeout,
            UseProxy = false,
            EnableMultipleHttp2Connections = true,
            InitialHttp2StreamWindowSize = StreamWindowBytes,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };
        return GrpcChannel.ForAddress(uri, new()
        {
            HttpHandler = handler,
            Credentials = options.TokenFile is { } tokenFile ? new BearerToken(tokenFile).OverTls() : null,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxReceiveBytes,
        });
    }

    private static (Uri Uri, EndPoint? Socket) Parse(string address, bool plaintext)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri))
        {
            throw Unusable(address, "it is not an address");
        }

        if (uri.Scheme == "unix")
        {
            string path = uri.LocalPath;
            return address.StartsWith("unix:///", StringComparison.Ordinal) && path.Length > 1
                ? Encoding.UTF8.GetByteCount(path) <= MaxSocketPathBytes
                    ? (new("http://localhost"), new UnixDomainSocketEndPoint(path))
                    : throw Unusable(address, $"the path of a unix socket has at most {MaxSocketPathBytes} bytes")
                : throw Unusable(address, "the path of a unix socket is absolute, so three slashes begin it");
        }

        if (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp)
        {
            throw Unusable(address, $"the scheme '{uri.Scheme}' is not known");
        }

        if (uri.PathAndQuery != "/" || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
        {
            throw Unusable(address, "it has more than a host and a port");
        }

        if (uri.Scheme == Uri.UriSchemeHttp && !(plaintext && uri.IsLoopback))
        {
            throw Unusable(address, uri.IsLoopback
                ? "http is not encrypted and must be asked for with Plaintext"
                : "http is not encrypted and is for loopback only");
        }

        return (uri, null);
    }

    private static ArgumentException Unusable(string address, string reason) => new(
        $"Cannot use the address '{address}': {reason}. "
        + "Expected unix:///path, https://host:port, http://127.0.0.1:port with Plaintext, or file:PATH of a bundle.");

    private static async ValueTask<Socket> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
#pragma warning disable CA2000 // the caller owns it, and a failure disposes it
        Socket socket = endPoint is UnixDomainSocketEndPoint
            ? new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
#pragma warning restore CA2000
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
