using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BpfRemote.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RpcStatus = Google.Rpc.Status;

namespace BpfRemote.Cli.Tests;

/// <summary>An agent on a unix socket of its own, or with TLS on loopback, whose maps and scans a test writes down.</summary>
internal sealed class ScriptedAgent : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("bpfremote-cli-").FullName;
    private readonly WebApplication _app;

    private ScriptedAgent(Action<KestrelServerOptions>? listen)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(listen ?? (kestrel => kestrel.ListenUnixSocket(
            Path.Combine(_directory, "agent.sock"), static listen => listen.Protocols = HttpProtocols.Http2)));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(this);
        _app = builder.Build();
        _app.MapGrpcService<Maps>();
        _app.MapGrpcService<Nodes>();
    }

    public string Address => _app.Urls.Single() is var url && url.StartsWith("https:", StringComparison.Ordinal)
        ? $"https://localhost:{new Uri(url).Port}"
        : $"unix://{_directory}/agent.sock";

    /// <summary>The maps of the node.</summary>
    public List<Map> AllMaps { get; } = [];

    /// <summary>What a scan sends; its last response completes it unless it has a token.</summary>
    public Func<LookupBatchRequest, CancellationToken, IAsyncEnumerable<LookupBatchResponse>> Scan { get; set; } =
        static (_, _) => AsyncEnumerable.Empty<LookupBatchResponse>();

    /// <summary>Refuses the bearer token of a call, null where it has none; may be absent.</summary>
    public Func<string?, RpcException?>? JudgeToken { get; set; }

    /// <summary>What a lookup answers.</summary>
    public Func<LookupElementsRequest, LookupElementsResponse> Lookup { get; set; } = static _ => new();

    /// <summary>The types that all maps refer to; null where there are none to be had.</summary>
    public byte[]? Btf { get; set; }

    public static async Task<ScriptedAgent> StartAsync(params Map[] maps)
    {
        ScriptedAgent agent = new(listen: null);
        agent.AllMaps.AddRange(maps);
        await agent._app.StartAsync();
        return agent;
    }

    /// <summary>One that asks for client certificates, and calls a caller by its token, else by its certificate.</summary>
    public static async Task<ScriptedAgent> StartTlsAsync(X509Certificate2 certificate)
    {
        ScriptedAgent agent = new(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.AllowAnyClientCertificate();
            });
        }));
        await agent._app.StartAsync();
        return agent;
    }

    /// <summary>An error as the agent gives them.</summary>
    public static RpcException Error(StatusCode code, string reason, string message, params ReadOnlySpan<(string Key, string Value)> metadata)
    {
        ErrorInfo info = new() { Domain = "bpfremote", Reason = reason };
        foreach ((string key, string value) in metadata)
        {
            info.Metadata.Add(key, value);
        }

        return new RpcStatus { Code = (int)code, Message = message, Details = { Any.Pack(info) } }.ToRpcException();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private sealed class Maps(ScriptedAgent agent) : MapService.MapServiceBase
    {
        public override Task<ListMapsResponse> ListMaps(ListMapsRequest request, ServerCallContext context) =>
            Task.FromResult(new ListMapsResponse
            {
                Maps = { agent.AllMaps.Where(map => request.NameGlob.Length == 0 || map.Name == request.NameGlob) },
            });

        public override Task<GetMapResponse> GetMap(GetMapRequest request, ServerCallContext context) =>
            agent.AllMaps.Find(map => map.Id == request.Map.Id || map.PinnedPaths.Contains(request.Map.PinnedPath)) is { } found
                ? Task.FromResult(new GetMapResponse { Map = found })
                : throw Error(StatusCode.NotFound, "MAP_NOT_FOUND", "no such map");

        public override async Task LookupBatch(
            LookupBatchRequest request, IServerStreamWriter<LookupBatchResponse> responseStream, ServerCallContext context)
        {
            await foreach (LookupBatchResponse response in agent.Scan(request, context.CancellationToken))
            {
                await responseStream.WriteAsync(response, context.CancellationToken);
            }
        }

        public override async Task GetBtf(
            GetBtfRequest request, IServerStreamWriter<GetBtfResponse> responseStream, ServerCallContext context)
        {
            byte[] data = agent.Btf ?? throw Error(StatusCode.FailedPrecondition, "BTF_NOT_AVAILABLE", "the kernel has no such BTF object");
            await responseStream.WriteAsync(new()
            {
                TotalSize = (ulong)data.Length,
                Sha256 = ByteString.CopyFrom(SHA256.HashData(data)),
                Data = ByteString.CopyFrom(data),
            });
        }

        public override Task<LookupElementsResponse> LookupElements(LookupElementsRequest request, ServerCallContext context) =>
            Task.FromResult(agent.Lookup(request));
    }

    private sealed class Nodes(ScriptedAgent agent) : NodeService.NodeServiceBase
    {
        public override Task<GetNodeResponse> GetNode(GetNodeRequest request, ServerCallContext context)
        {
            string? token = context.RequestHeaders.GetValue("authorization");
            return agent.JudgeToken?.Invoke(token) is { } refusal
                ? throw refusal
                : Task.FromResult(Answer(token ?? context.GetHttpContext().Connection.ClientCertificate?.Thumbprint ?? "unix:uid=0"));
        }

        private static GetNodeResponse Answer(string principal) =>
            new()
            {
                Node = new()
                {
                    Hostname = "node7",
                    KernelRelease = "6.18.0",
                    PossibleCpuIds = { 0, 1, 2, 8 },
                    StartTime = Timestamp.FromDateTime(DateTime.UnixEpoch),
                    Principal = principal,
                    Lockdown = new() { Seccomp = true },
                    Features = { "list_maps" },
                    Limits = new() { GentleCpuShare = 0.1, MaxStreamAge = Duration.FromTimeSpan(TimeSpan.FromMinutes(15)) },
                },
            };
    }
}
