using System.Collections.Concurrent;
using System.Globalization;
using BpfRemote.Client;
using BpfRemote.EndToEnd.Maps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace BpfRemote.EndToEnd.Fuzzing;

/// <summary>Random requests against one agent process: each gets a status of the contract, and none does harm.</summary>
/// <remarks>BPFREMOTE_FUZZ_REQUESTS sets their number, BPFREMOTE_FUZZ_SEED what they are.</remarks>
[Collection(nameof(Alone))]
public sealed class FuzzTests
{
    private const int Callers = 48;
    private const int DefaultRequests = 200_000;
    private const long MaxGrowthBytes = 96 << 20;

    /// <summary>What a client may be told for its request. Nothing else: UNKNOWN is how an unhandled exception arrives.</summary>
    private static readonly StatusCode[] Answers =
    [
        StatusCode.OK, StatusCode.InvalidArgument, StatusCode.NotFound, StatusCode.FailedPrecondition, StatusCode.ResourceExhausted,
        StatusCode.Unimplemented,
    ];

    private static readonly Marshaller<byte[]> AsItIs = Marshallers.Create(bytes => bytes, bytes => bytes);

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
        using GrpcChannel channel = site.OpenChannel();
        string token = await FirstTokenAsync(site, map);
        string pageToken = (await new MapService.MapServiceClient(channel).ListMapsAsync(new() { PageSize = 1 }, cancellationToken: Cancelled)).NextPageToken;
        if (pageToken.Length == 0)
        {
            pageToken = token;
        }

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
        Assert.Empty(agent.LoggedFailures);
        Assert.Empty(answers.Keys.Except(Answers));
        Assert.Empty(Answers.Except(answers.Keys).Except([StatusCode.ResourceExhausted]));
        Assert.InRange(agent.ResidentBytes, 0, residentWarm + MaxGrowthBytes);
        await agent.WaitForOpenFilesAsync(files => !files.Contains("anon_inode:bpf-map") && files.Count <= openWarm + 1, Cancelled);
        await AssertServesAsync(site, map);

        Task SendAsync(int count, int firstSeed) => Task.WhenAll(Enumerable.Range(firstSeed, Callers).Select(async callerSeed =>
        {
            CallInvoker invoker = channel.CreateCallInvoker();
            RandomRequests random = new(callerSeed, map.Map.Id, token, pageToken);
            for (int i = 0; i < count / Callers; i++)
            {
                RandomRequest request = random.Next();
                StatusCode answer = await CallAsync(invoker, request);
                answers.AddOrUpdate(answer, 1, (_, sum) => sum + 1);
                if (!Answers.Contains(answer))
                {
                    Assert.Fail($"{request.Method} answered {answer} to {Convert.ToHexString(request.Message)}\n{agent.Program.Output}");
                }
            }
        }));
    }

    private static async Task<StatusCode> CallAsync(CallInvoker invoker, RandomRequest request)
    {
        Method<byte[], byte[]> method = new(
            MethodType.ServerStreaming, MapService.Descriptor.FullName, request.Method, AsItIs, AsItIs);
        using AsyncServerStreamingCall<byte[]> call =
            invoker.AsyncServerStreamingCall(method, host: null, new CallOptions(cancellationToken: Cancelled), request.Message);
        try
        {
            while (await call.ResponseStream.MoveNext(Cancelled))
            {
            }

            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
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
