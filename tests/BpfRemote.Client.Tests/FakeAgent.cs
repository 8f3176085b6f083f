using System.Net;
using BpfRemote.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BpfRemote.Client.Tests;

/// <summary>An agent in this process, on a real socket, whose map service does as a test scripts it.</summary>
internal sealed class FakeAgent : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeAgent(WebApplication app) => _app = app;

    public int Port => new Uri(_app.Urls.Single()).Port;

    /// <param name="service">What serves maps.</param>
    /// <param name="listen">Where; a free port on loopback unless given.</param>
    public static Task<FakeAgent> StartAsync(FakeMapService service, Action<KestrelServerOptions>? listen = null) =>
        ServeAsync(service, listen);

    /// <param name="service">What serves maps, in a way of its own.</param>
    /// <param name="listen">Where; a free port on loopback unless given.</param>
    public static async Task<FakeAgent> ServeAsync<TService>(TService service, Action<KestrelServerOptions>? listen = null)
        where TService : MapService.MapServiceBase
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(listen ?? (options => ListenOnLoopback(options, 0)));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(service);
        WebApplication app = builder.Build();
        app.MapGrpcService<TService>();
        app.MapGrpcService<FakeNodeService>();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new(app);
    }

    public static void ListenOnLoopback(KestrelServerOptions options, int port) =>
        options.Listen(IPAddress.Loopback, port, listener => listener.Protocols = HttpProtocols.Http2);

    public static void ListenOnSocket(KestrelServerOptions options, string path) =>
        options.ListenUnixSocket(path, listener => listener.Protocols = HttpProtocols.Http2);

    public BpfRemoteClient Connect(TimeProvider? time = null) => BpfRemoteClient.Connect(OptionsFor(Port, time));

    /// <summary>Options of a client that does not wait between its tries.</summary>
    public static BpfRemoteClientOptions OptionsFor(int port, TimeProvider? time = null) => new()
    {
        Address = $"http://127.0.0.1:{port}",
        Plaintext = true,
        TimeProvider = time ?? new ImmediateTimeProvider(),
    };

    /// <summary>Goes at once, as a killed agent would, without waiting for its calls.</summary>
    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource now = new();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
