using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using BpfRemote.Agent.Access;
using BpfRemote.Agent.Access.Tls;
using BpfRemote.Agent.Files;
using BpfRemote.Agent.Limits;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace BpfRemote.Agent.Hosting;

/// <summary>Sets Kestrel up: HTTP/2 only, each listener with the identity its transport can prove.</summary>
internal static partial class AgentListeners
{
    private const int ENXIO = 6;

    /// <summary>The kernel takes what it allows anybody of it, 208 KiB by default, and doubles that: with half, as it is by default,
    /// a scan took a sixth longer.</summary>
    private const int UnixSendBuffer = 1 << 20;

    private const UnixFileMode SocketMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Listens where valid options say.</summary>
    /// <param name="kestrel">What to set up.</param>
    /// <param name="options">The options.</param>
    /// <param name="tls">What TLS listeners serve with; null where there is none.</param>
    /// <param name="log">Where clients are reported whose certificate is refused.</param>
    public static void Configure(KestrelServerOptions kestrel, AgentOptions options, ReloadedFile<TlsMaterial>? tls, ILogger log)
    {
        kestrel.AddServerHeader = false;
        KestrelServerLimits limits = kestrel.Limits;
        limits.MaxConcurrentConnections = options.Limits.MaxConnections;
        limits.MaxRequestHeadersTotalSize = AgentLimits.MaxRequestHeaderBytes;
        limits.MaxRequestBodySize = null; // gRPC bounds each message
        limits.MinRequestBodyDataRate = null; // and a request is one message
        limits.MinResponseDataRate = null; // does not catch a reader that stalls late; ResponseWriter does
        limits.Http2.MaxStreamsPerConnection = options.Limits.MaxStreamsPerConnection;
        limits.MaxResponseBufferSize = 0; // a write ends when the client's window has taken it, so that what is not taken shows
        limits.Http2.KeepAlivePingDelay = AgentLimits.KeepaliveInterval;
        limits.Http2.KeepAlivePingTimeout = AgentLimits.KeepaliveTimeout;

        foreach (string text in options.Listen)
        {
            switch (ListenEndpoint.TryParse(text, options.Plaintext, out string error))
            {
                case UnixEndpoint unix:
                    kestrel.ListenUnixSocket(unix.Path, listen => Identify(listen, connection =>
                    {
                        Socket socket = connection.Features.Get<IConnectionSocketFeature>()!.Socket;
                        socket.SendBufferSize = UnixSendBuffer;
                        return ConnectionIdentity.Of(UnixPeer.Of(socket));
                    }));
                    break;
                case PlaintextEndpoint plaintext:
                    kestrel.Listen(plaintext.Address, listen => Identify(listen, connection =>
                        ConnectionIdentity.Of(Caller.AnonymousAt(connection.RemoteEndPoint))));
                    break;
                case TlsEndpoint endpoint:
                    kestrel.Listen(endpoint.Address, listen =>
                    {
                        listen.UseHttps(new TlsHandshakeCallbackOptions
                        {
                            HandshakeTimeout = options.Limits.HandshakeTimeout,
                            OnConnection = context => new(tls!.Current.HandshakeOptions(reason => LogRefused(log, context.Connection.RemoteEndPoint, reason))),
                        });
                        Identify(listen, connection => OfTlsClient(connection, takesTokens: options.BearerTokens.Count > 0));
                    });
                    break;
                default:
                    throw new InvalidOperationException(error);
            }
        }
    }

    /// <summary>The paths of valid options' unix endpoints, in their order.</summary>
    public static IEnumerable<string> UnixPaths(AgentOptions options) => options.Listen
        .Select(text => ListenEndpoint.TryParse(text, options.Plaintext, out _))
        .OfType<UnixEndpoint>()
        .Select(endpoint => endpoint.Path);

    /// <summary>Makes listening sockets, or takes those that the broker has bound.</summary>
    public static Socket CreateListenSocket(EndPoint endpoint, AgentOptions options)
    {
        if (endpoint is not UnixDomainSocketEndPoint)
        {
            return SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        }

        string path = endpoint.ToString()!;
        return options.Inherited is { } inherited
            ? new Socket(new SafeSocketHandle(inherited.Sockets[UnixPaths(options).ToList().IndexOf(path)], ownsHandle: true))
            : Bind(path);
    }

    /// <summary>Binds a socket to a path, closed to strangers before it can take a connection.</summary>
    /// <exception cref="IOException">Another agent listens there, or the path is something else.</exception>
    public static Socket Bind(string path)
    {
        RemoveStaleSocket(path);
        Socket socket;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e)
        {
            throw new IOException($"cannot listen at {path}: {e.Message}", e);
        }

        if (!OperatingSystem.IsWindows())
        {
            // Bound and not yet listening: nobody can have connected.
            File.SetUnixFileMode(path, SocketMode);
        }

        return socket;
    }

    /// <summary>The client of a connection whose handshake is over: its certificate has been judged.</summary>
    private static ConnectionIdentity OfTlsClient(ConnectionContext connection, bool takesTokens)
    {
        string peer = $"{connection.RemoteEndPoint}";
        X509Certificate2? certificate = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        Caller? caller = certificate is not null && ClientCertificate.PrincipalOf(certificate) is { } principal ? new(principal, [], peer) : null;
        return new(caller, peer, takesTokens);
    }

    private static void Identify(ListenOptions listen, Func<ConnectionContext, ConnectionIdentity> identify)
    {
        listen.Protocols = HttpProtocols.Http2;
        listen.Use(next => connection =>
        {
            connection.Features.Set(identify(connection));
            return next(connection);
        });
        listen.Use(listen.ApplicationServices.GetRequiredService<ConnectionLimits>().Bound);
    }

    [LoggerMessage(EventId = 106, Level = LogLevel.Warning, Message = "Refused the TLS client at {Peer}: {Reason}")]
    private static partial void LogRefused(ILogger logger, EndPoint? peer, string reason);

    /// <summary>Removes the socket file that a killed agent left, and only such a one.</summary>
    /// <exception cref="IOException">Another agent listens there, or the path is something else.</exception>
    private static void RemoveStaleSocket(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!File.Exists(path))
        {
            return;
        }

        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path))
        {
            File.Delete(path);
            return;
        }
        catch (SocketException e)
        {
            throw new IOException($"cannot listen at {path}: {e.Message}", e);
        }

        throw new IOException($"another agent listens at {path}");
    }

    /// <summary>Whether a path is a socket: of all files that exist only a socket cannot be opened with ENXIO. To a connect an
    /// empty file looks like a socket without a listener.</summary>
    private static bool IsSocket(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (IOException e)
        {
            return e.HResult == ENXIO;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
