using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using BpfRemote.Client;
using BpfRemote.EndToEnd.Maps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.EndToEnd.Fuzzing;

/// <summary>Random requests against one agent process: each gets a status of the contract, and none does harm.</summary>
/// <remarks>BPFREMOTE_FUZZ_REQUESTS sets their number, BPFREMOTE_FUZZ_SEED what they are.</remarks>
[Collection(nameof(Alone))]
public sealed class FuzzTests
{
    private const int FrameHeader = 5; // a flag, and the length of the message
    private const int Callers = 48;
    private const int DefaultRequests = 200_000;
    private const long MaxGrowthBytes = 48 << 20;

    /// <summary>What a client may be told for its request. Nothing else: UNKNOWN is how an unhandled exception arrives.</summary>
    private static readonly StatusCode[] Answers =
    [
        StatusCode.OK, StatusCode.InvalidArgument, StatusCode.NotFound, StatusCode.FailedPrecondition, StatusCode.ResourceExhausted,
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Random_requests_get_a_status_of_the_contract_and_do_no_harm()
    {
        Require.Kernel();
        int requests = Setting("BPFREMOTE_FUZZ_REQUESTS", DefaultRequests);
        int seed = Setting("BPFREMOTE_FUZZ_SEED", 1);
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 1_000);
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        using HttpMessageInvoker http = site.OpenHttp();
        string token = await FirstTokenAsync(site, map);

        ConcurrentDictionary<StatusCode, int> answers = [];
        await SendAsync(requests / 10, seed);
        long residentWarm = agent.ResidentBytes;
        int openWarm = agent.OpenFiles.Count;
        long start = TimeProvider.System.GetTimestamp();
        await SendAsync(requests - (requests / 10), seed + Callers);
        TimeSpan elapsed = TimeProvider.System.GetElapsedTime(start);

        TestContext.Current.SendDiagnosticMessage(
            $"{requests} requests, {requests * 0.9 / elapsed.TotalSeconds:F0}/s, {string.Join(", ", answers)}; "
            + $"resident {residentWarm >> 20} MiB, then {agent.ResidentBytes >> 20} MiB");
        agent.AssertNoFailureLogged();
        Assert.Empty(answers.Keys.Except(Answers));
        Assert.Empty(Answers.Except(answers.Keys).Except([StatusCode.ResourceExhausted]));
        Assert.InRange(agent.ResidentBytes, 0, residentWarm + MaxGrowthBytes);
        await agent.WaitForOpenFilesAsync(files => !files.Contains("anon_inode:bpf-map") && files.Count <= openWarm + 1, Cancelled);
        await AssertServesAsync(site, map);

        Task SendAsync(int count, int firstSeed) => Task.WhenAll(Enumerable.Range(firstSeed, Callers).Select(async callerSeed =>
        {
            RandomRequests random = new(callerSeed, map.Map.Id, token);
            for (int i = 0; i < count / Callers; i++)
            {
                RandomRequest request = random.Next();
                StatusCode answer = await CallAsync(http, request);
                answers.AddOrUpdate(answer, 1, (_, sum) => sum + 1);
                if (!Answers.Contains(answer))
                {
                    Assert.Fail($"{request.Method} answered {answer} to {Convert.ToHexString(request.Message)}\n{agent.Program.Output}");
                }
            }
        }));
    }

    /// <summary>Calls without a gRPC client, which would throw and catch an exception for most of these answers.</summary>
    private static async Task<StatusCode> CallAsync(HttpMessageInvoker http, RandomRequest random)
    {
        byte[] frame = new byte[FrameHeader + random.Message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), random.Message.Length);
        random.Message.CopyTo(frame, FrameHeader);
        using HttpRequestMessage request = new(HttpMethod.Post, $"http://localhost/{MapService.Descriptor.FullName}/{random.Method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame) { Headers = { ContentType = new("application/grpc") } },
            Headers = { TE = { new("trailers") } },
        };
        using HttpResponseMessage response = await http.SendAsync(request, Cancelled);
        await response.Content.CopyToAsync(Stream.Null, Cancelled);
        HttpResponseHeaders statusHeaders = response.Headers.Contains("grpc-status") ? response.Headers : response.TrailingHeaders;
        return (StatusCode)int.Parse(statusHeaders.GetValues("grpc-status").Single(), CultureInfo.InvariantCulture);
    }

    private static async Task<string> FirstTokenAsync(AgentSite site, KnownMap map)
    {
        using BpfRemoteClient client = site.Connect();
        await foreach (MapBatch batch in client.Scan(map.Selector, new() { BatchSize = 100 }).WithCancellation(Cancelled))
        {
            return batch.ContinuationToken;
        }

        throw new InvalidOperationException("the scan gave nothing");
    }

    private static async Task AssertServesAsync(AgentSite site, KnownMap map)
    {
        using BpfRemoteClient client = site.Connect();
        ScanRecord record = new(map);
        await foreach (MapBatch batch in client.Scan(map.Selector).WithCancellation(Cancelled))
        {
            record.Add(batch);
        }

        record.AssertComplete();
    }

    private static int Setting(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
