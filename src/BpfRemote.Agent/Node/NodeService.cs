using System.Reflection;
using BpfRemote.Agent.Access;
using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace BpfRemote.Agent.Node;

/// <summary>The node service of the contract.</summary>
internal sealed class NodeService(
    IMapSource source, AgentOptions options, Func<string, PrincipalLimits> limitsOf, TimeProvider time) : V1.NodeService.NodeServiceBase
{
    /// <summary>What this agent can do, by name.</summary>
    private static readonly string[] Features = ["get_btf", "get_map", "list_maps", "lookup_batch", "lookup_elements"];

    private readonly Timestamp _startTime = Timestamp.FromDateTimeOffset(time.GetUtcNow());

    /// <summary>The agent's version.</summary>
    public static string AgentVersion { get; } =
        typeof(NodeService).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public override Task<GetNodeResponse> GetNode(GetNodeRequest request, ServerCallContext context)
    {
        NodeFacts facts = source.Node;
        string principal = Caller.Of(context).Principal;
        PrincipalLimits own = limitsOf(principal);
        V1.Node node = new()
        {
            Hostname = facts.Hostname,
            KernelRelease = facts.KernelRelease,
            BootId = facts.BootId.ToString(),
            ByteOrder = MapDescription.NodeByteOrder,
            AgentVersion = AgentVersion,
            LibbpfVersion = facts.LibbpfVersion,
            StartTime = _startTime,
            Principal = principal,
            AccessMode = options switch
            {
                { Simulate: true } => AccessMode.Simulated,
                { Access: MapAccess.Pins } => AccessMode.Pins,
                _ => AccessMode.Enumerate,
            },
            Lockdown = ReadLockdown(options),
            Limits = new V1.Limits
            {
                MaxResponseBytes = AgentLimits.MaxResponseBytes,
                TargetResponseBytes = AgentLimits.TargetResponseBytes,
                MaxBatchSize = AgentLimits.MaxBatchSize,
                MaxLookupKeys = AgentLimits.MaxLookupKeys,
                MaxRequestBytes = AgentLimits.MaxRequestBytes,
                MaxPageSize = AgentLimits.MaxPageSize,
                MaxScanRestarts = AgentLimits.MaxScanRestarts,
                GentleCpuShare = options.Limits.GentleCpuShare,
                MaxStreamAge = Duration.FromTimeSpan(options.Limits.MaxStreamAge),
                WriteTimeout = Duration.FromTimeSpan(options.Limits.WriteTimeout),
                MaxConcurrentScans = (uint)options.Limits.MaxConcurrentScans,
                MaxConnections = (uint)options.Limits.MaxConnections,
                MaxStreamsPerConnection = (uint)options.Limits.MaxStreamsPerConnection,
                MaxRequestHeaderBytes = AgentLimits.MaxRequestHeaderBytes,
                DefaultPageSize = AgentLimits.DefaultPageSize,
                MaxScansPerPrincipal = (uint)own.MaxConcurrentScans,
                MaxConnectionsPerPrincipal = (uint)own.MaxConnections,
                KernelTimePerMinute = own.KernelTimePerMinute is { } quota ? Duration.FromTimeSpan(quota) : null,
                MaxBufferBytes = (ulong)options.Limits.MaxBufferBytes,
                HandshakeTimeout = Duration.FromTimeSpan(options.Limits.HandshakeTimeout),
                MaxConnectionAge = Duration.FromTimeSpan(options.Limits.MaxConnectionAge),
                KeepaliveInterval = Duration.FromTimeSpan(AgentLimits.KeepaliveInterval),
                KeepaliveTimeout = Duration.FromTimeSpan(AgentLimits.KeepaliveTimeout),
            },
        };
        node.PossibleCpuIds.AddRange(facts.PossibleCpuIds);
        node.Features.AddRange(Features);
        return Task.FromResult(new GetNodeResponse { Node = node });
    }

    /// <summary>What holds for this process, as the kernel says: a service manager may have set it.</summary>
    private static Lockdown ReadLockdown(AgentOptions options)
    {
        const string Status = "/proc/self/status";
        if (!File.Exists(Status))
        {
            return new Lockdown();
        }

        Dictionary<string, string> status = File.ReadLines(Status)
            .Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
            .Where(field => field.Length == 2)
            .ToDictionary(field => field[0], field => field[1]);
        return new Lockdown
        {
            NoNewPrivs = status.GetValueOrDefault("NoNewPrivs") == "1",
            Seccomp = status.GetValueOrDefault("Seccomp") == "2",
            PrivilegesSeparated = options.Inherited is not null,
        };
    }
}
