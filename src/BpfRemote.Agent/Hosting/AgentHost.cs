using System.Net.Sockets;
using BpfRemote.Agent.Access;
using BpfRemote.Agent.Access.Policy;
using BpfRemote.Agent.Audit;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Files;
using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps;
using BpfRemote.Agent.Maps.GetBtf;
using BpfRemote.Agent.Maps.ListMaps;
using BpfRemote.Agent.Maps.LookupBatch;
using BpfRemote.Agent.Maps.LookupElements;
using BpfRemote.Agent.Node;
using BpfRemote.Agent.Tokens;
using BpfRemote.Libbpf;
using BpfRemote.Libbpf.Lockdown;
using BpfRemote.Libbpf.Separation;
using BpfRemote.Simulation;
using BpfRemote.Simulation.Samples;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Console;

namespace BpfRemote.Agent.Hosting;

/// <summary>Puts the agent together and runs it.</summary>
public static partial class AgentHost
{
    /// <summary>Exit code where the agent could not start.</summary>
    private const int Failed = 1;

    /// <summary>Runs until SIGTERM or SIGINT.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(AgentOptions options)
    {
        // Who reads at full pace holds a thread; as many as there are CPUs are left to the rest.
        ThreadPool.GetMinThreads(out int workers, out int completions);
        ThreadPool.SetMinThreads(workers + SpareReaders.Most, completions);
        try
        {
            using BrokerConnection? broker =
                options.Inherited is { } inherited ? new BrokerConnection(inherited.Opens, inherited.Walks) : null;
            (IMapSource source, ITimer? churn) = options.Simulate ? SimulateNode() : (OpenKernel(options, broker), null);
            using ITimer? running = churn;
            await using WebApplication agent = Build(options, source, TimeProvider.System);
            LockDown(options, agent.Logger);
            if (broker is not null)
            {
                EndWith(broker, agent.Lifetime);
            }

            await agent.StartAsync();
            foreach (string endpoint in agent.Urls.Select(ListenEndpoint.Spell))
            {
                LogListening(agent.Logger, endpoint, NodeService.AgentVersion, source.Node.KernelRelease, source.Node.LibbpfVersion);
            }

            if (options.Plaintext)
            {
                LogPlaintext(agent.Logger);
            }

            await agent.WaitForShutdownAsync();
            return 0;
        }
        catch (Exception e) when (e is IOException or BpfUnavailableException or SocketException or UnauthorizedAccessException or AccessFileException)
        {
            await Console.Error.WriteLineAsync($"bpfremote-agent: {InheritedFiles.Explain(e, options.Inherited is not null)}");
            return Failed;
        }
    }

    /// <summary>The kernel of this machine.</summary>
    /// <exception cref="BpfUnavailableException">There is none to read, or the process may not list its maps.</exception>
    private static KernelMapSource OpenKernel(AgentOptions options, BrokerConnection? broker)
    {
        KernelMapSource kernel = KernelMapSource.Create(options.Access, broker);
        try
        {
            _ = kernel.MapIds(0).Any();
            return kernel;
        }
        catch (BpfException e) when (e.Errno == Errno.EPERM)
        {
            throw new BpfUnavailableException(
                "listing eBPF maps needs CAP_SYS_ADMIN: run the agent as root, with --access pins for what it may read of the pinned maps, "
                + "or with --simulate to serve sample maps",
                e);
        }
    }

    /// <summary>Gives up what serving takes not: all is loaded and probed, and nobody has connected yet.</summary>
    private static void LockDown(AgentOptions options, ILogger logger)
    {
        if (options.Simulate)
        {
            return; // sample maps, on any OS
        }

        if (options.NoLockdown)
        {
            LogNoLockdown(logger);
            return;
        }

        Duties duties = Duties.ReadMaps | Duties.Serve;
        if (options.Inherited is null)
        {
            duties |= options.Access is MapAccess.Pins ? Duties.OpenPins : Duties.OpenPins | Duties.OpenIds;
            LogOneProcess(logger);
        }

        ProcessLockdown.Apply(duties);
        ulong capabilities = CapabilitySet.OfThisThread().Bits;
        LogLockdown(logger, Environment.UserName, capabilities, duties);
    }

    /// <summary>Ends the agent when its broker has ended, or wants it to.</summary>
    private static void EndWith(BrokerConnection broker, IHostApplicationLifetime lifetime)
    {
        ProcessLockdown.EndWithParent();
        Thread watch = new(() =>
        {
            broker.WaitForHangUp();
            lifetime.StopApplication();
        })
        {
            IsBackground = true,
        };
        watch.Start();
    }

    /// <summary>A node in memory, and the timer that keeps its maps changing.</summary>
    private static (IMapSource Source, ITimer? Churn) SimulateNode()
    {
        SimulatedMapSource node = new(new SimulatedNode(), TimeProvider.System);
        return (node, SampleMaps.AddTo(node).Start(TimeProvider.System, TimeSpan.FromMilliseconds(100)));
    }

    /// <summary>Puts an agent together over a source of maps.</summary>
    public static WebApplication Build(AgentOptions options, IMapSource source, TimeProvider time)
    {
        // Nothing but what is said here: the other builders read appsettings.json and variables, and watch all that is below the
        // working directory, which of a service is all there is.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
        builder.Logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("Grpc", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.Http2", LogLevel.None); // critical to it is whatever a client does wrong

        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.CreateBoundListenSocket =
            endpoint => AgentListeners.CreateListenSocket(endpoint, options));
        builder.WebHost.ConfigureKestrel(kestrel =>
            AgentListeners.Configure(
                kestrel,
                options,
                kestrel.ApplicationServices.GetRequiredService<AccessFiles>().Tls,
                kestrel.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(AgentListeners).FullName!)));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));

        PrincipalLimits principalLimits = PrincipalLimits.DefaultOf(options.Limits);
        builder.Services
            .AddSingleton(options)
            .AddSingleton(options.Limits)
            .AddSingleton<Func<string, PrincipalLimits>>(services =>
            {
                AccessControl access = services.GetRequiredService<AccessControl>();
                return principal => access.Policy.LimitsOf(principal, principalLimits);
            })
            .AddSingleton(source)
            .AddSingleton(time)
            .AddSingleton(services => new TokenKeyRing(
                options.ResolveKeyDirectory(), time, services.GetRequiredService<ILogger<TokenKeyRing>>()))
            .AddSingleton<AccessFiles>()
            .AddSingleton(services => services.GetRequiredService<AccessFiles>().Tokens)
            .AddSingleton<CallerIdentity>()
            .AddSingleton(services => new AccessControl(
                services.GetRequiredService<AccessFiles>().Policy,
                options.Simulate ? AccessPolicy.Everybody : AccessPolicy.RootOnly,
                source))
            .AddSingleton(services => new AuditLog(
                SinkOf(options),
                services.GetRequiredService<AccessControl>(),
                services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(),
                time,
                services.GetRequiredService<ILogger<AuditLog>>()))
            .AddHostedService(services => new FileWatch(
                services.GetRequiredService<AccessFiles>().All,
                services.GetRequiredService<AuditLog>().Reopen,
                options.Inherited?.Hangups,
                time))
            .AddSingleton<TokenSealer>()
            .AddSingleton(_ => new GentlePace(options.Limits.GentleCpuShare, time))
            .AddSingleton<KernelTimeQuota>()
            .AddSingleton(_ => new SpareReaders(Environment.ProcessorCount))
            .AddSingleton<ScanSlots>()
            .AddSingleton<BufferBudget>()
            .AddSingleton<ConnectionLimits>()
            .AddSingleton<MemoryRelease>()
            .AddSingleton<SharedBtf>()
            .AddSingleton<MapResolver>()
            .AddSingleton<ScanOpener>()
            .AddSingleton<ListMapsHandler>()
            .AddSingleton<LookupBatchHandler>()
            .AddSingleton<LookupElementsHandler>()
            .AddSingleton<GetBtfHandler>()
            .AddSingleton<MapService>()
            .AddSingleton<NodeService>();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = AgentLimits.MaxRequestBytes;
            grpc.Interceptors.Add<CallBoundary>();
            grpc.Interceptors.Add<AnswerBudget>();
        });
        builder.Services.AddGrpcHealthChecks().AddCheck("bpfremote", () => HealthCheckResult.Healthy());

        WebApplication agent = builder.Build();
        agent.Use(StalledReader.Watch(options.Limits, time));
        agent.MapGrpcService(services => StrictServiceBinder.Bind(
            binder => V1.MapService.BindService(binder, services.GetRequiredService<MapService>())));
        agent.MapGrpcService(services => StrictServiceBinder.Bind(
            binder => V1.NodeService.BindService(binder, services.GetRequiredService<NodeService>())));
        agent.MapGrpcHealthChecksService();

        // Made now and not at the first call: a key file that cannot be used stops the start, and the start time is the start's.
        _ = agent.Services.GetRequiredService<AccessFiles>();
        _ = agent.Services.GetRequiredService<AuditLog>();
        _ = agent.Services.GetRequiredService<TokenKeyRing>();
        _ = agent.Services.GetRequiredService<NodeService>();
        return agent;
    }

    /// <summary>Where audit lines go.</summary>
    private static IAuditSink? SinkOf(AgentOptions options) => options.AuditLog switch
    {
        null => null,
        AgentOptions.Journal => new JournalSink(),
        var path => new FileSink(path),
    };

    [LoggerMessage(EventId = 101, Level = LogLevel.Information,
        Message = "Listening on {Endpoint}: agent {Version}, kernel {Kernel}, libbpf {Libbpf}")]
    private static partial void LogListening(ILogger logger, string endpoint, string version, string kernel, string libbpf);

    [LoggerMessage(EventId = 103, Level = LogLevel.Information,
        Message = "Locked down: user {User}, capabilities {Capabilities:x}, no new privileges, system calls for {Duties} only")]
    private static partial void LogLockdown(ILogger logger, string user, ulong capabilities, Duties duties);

    [LoggerMessage(EventId = 104, Level = LogLevel.Warning,
        Message = "The lockdown is off: this one process, which talks to clients, keeps all its privileges")]
    private static partial void LogNoLockdown(ILogger logger);

    [LoggerMessage(EventId = 105, Level = LogLevel.Information,
        Message = "One process reads maps and opens them: it may not start another as another user, or the kernel is older than 5.19")]
    private static partial void LogOneProcess(ILogger logger);

    [LoggerMessage(EventId = 102, Level = LogLevel.Warning,
        Message = "Plain HTTP is on: to the policy, every user of this machine is 'anonymous' through it")]
    private static partial void LogPlaintext(ILogger logger);
}
