using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using BpfRemote.Agent.Files;
using BpfRemote.Agent.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace BpfRemote.Agent.Tests.Harness;

/// <summary>An agent that listens in this process.</summary>
internal sealed class RunningAgent(WebApplication agent, string serverAuthority, string socketPath, CollectedLog log) : IAsyncDisposable
{
    /// <summary>What the agent is made of.</summary>
    public IServiceProvider Services => agent.Services;

    /// <summary>What it logged.</summary>
    public CollectedLog Log => log;

    /// <summary>Where it listens with TLS.</summary>
    public Uri TlsAddress => new(agent.Urls.Single(url => url.StartsWith("https://", StringComparison.Ordinal)));

    /// <summary>Has it look at its files, as it does every few seconds.</summary>
    public void Refresh()
    {
        foreach (IReloadedFile file in Services.GetRequiredService<AccessFiles>().All)
        {
            file.Refresh();
        }
    }

    /// <summary>Connects with TLS.</summary>
    /// <param name="certificate">The client's certificate; null for none.</param>
    /// <param name="intermediates">What the client sends of the certificate's chain.</param>
    /// <param name="token">The bearer token of every call; null for none.</param>
    public AgentConnection ConnectTls(
        X509Certificate2? certificate = null, X509Certificate2Collection? intermediates = null, string? token = null)
    {
        AgentConnection connection = null!;
        SocketsHttpHandler handler = new()
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = certificate is null
                    ? null
                    : SslStreamCertificateContext.Create(certificate, intermediates, offline: true),
                RemoteCertificateValidationCallback = (_, server, _, _) =>
                {
                    connection.ServerName = server?.Subject;
                    return server?.Issuer == serverAuthority;
                },
            },
        };
        connection = new AgentConnection(TlsAddress, handler, token);
        return connection;
    }

    /// <summary>Connects to the unix socket.</summary>
    public AgentConnection ConnectUnix(string? token = null) => new(
        new Uri("http://localhost"),
        new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        },
        token);

    /// <summary>Connects without TLS.</summary>
    public AgentConnection ConnectPlaintext(string? token = null) => new(
        new Uri(agent.Urls.Single(url => url.StartsWith("http://127", StringComparison.Ordinal))), new SocketsHttpHandler(), token);

    public async ValueTask DisposeAsync()
    {
        await agent.StopAsync();
        await agent.DisposeAsync();
    }
}
