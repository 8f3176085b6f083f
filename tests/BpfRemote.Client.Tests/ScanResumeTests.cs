using BpfRemote.V1;
using CsCheck;
using Grpc.Core;

namespace BpfRemote.Client.Tests;

public sealed class ScanResumeTests
{
    private static readonly MapSelector Map = MapSelectors.ById(7);

    // HTTP/2 error codes (RFC 9113, section 7).
    private const int NoError = 0x0;
    private const int ProtocolError = 0x1;
    private const int InternalError = 0x2;
    private const int RefusedStream = 0x7;
    private const int Cancel = 0x8;
    private const int EnhanceYourCalm = 0xb;

    public static TheoryData<string> Interruptions =>
    [
        "unavailable", "draining", "stream age", "write timeout", "exhausted", "unknown", "internal", "disconnect", "reset 0", "reset 1",
        "reset 2", "reset 7", "reset 8", "reset 11",
    ];

    [Theory]
    [MemberData(nameof(Interruptions))]
    public async Task An_interrupted_scan_continues_after_the_last_batch_handed_over(string interruption)
    {
        FakeMapService service = new(25);
        service.EndAfter(1, EndingFor(interruption));
        service.EndAfter(0, EndingFor(interruption));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        List<int> received = await client.Scan(Map, new() { BatchSize = 10 }).ReadAsync(service);

        Assert.Equal(Enumerable.Range(0, 25), received);
        Assert.Equal(["/0", "10/0", "10/0"], service.Continuations);
        Assert.All(service.Scans, scan => Assert.Equal(Map, scan.Map));
    }

    [Theory]
    [MemberData(nameof(Interruptions))]
    public async Task A_scan_interrupted_before_its_first_response_sends_the_same_request(string interruption)
    {
        FakeMapService service = new(5);
        service.EndAfter(0, EndingFor(interruption));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        List<int> received = await client.Scan(Map, new() { ContinuationToken = "2", Limit = 2 }).ReadAsync(service);

        Assert.Equal([2, 3], received);
        Assert.Equal(["2/2", "2/2"], service.Continuations);
        Assert.Equal(service.Scans[0], service.Scans[1]);
    }

    [Fact]
    public async Task The_limit_shrinks_by_what_was_handed_over()
    {
        FakeMapService service = new(100);
        service.EndAfter(2, Ending.Reset(Cancel));
        service.EndAfter(1, Ending.Disconnect);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        List<int> received = await client.Scan(Map, new() { BatchSize = 10, Limit = 42 }).ReadAsync(service);

        Assert.Equal(Enumerable.Range(0, 42), received);
        Assert.Equal(["/42", "20/22", "30/12"], service.Continuations);
    }

    [Fact]
    public async Task A_limit_reached_at_the_moment_of_the_failure_ends_the_scan_well()
    {
        FakeMapService service = new(100);
        service.EndAfter(2, Ending.Reset(InternalError));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        List<int> received = await client.Scan(Map, new() { BatchSize = 10, Limit = 20 }).ReadAsync(service);

        Assert.Equal(Enumerable.Range(0, 20), received);
        Assert.Equal(["/20"], service.Continuations);
    }

    [Theory]
    [MemberData(nameof(Interruptions))]
    public async Task A_failure_after_the_completing_response_ends_the_scan_well(string interruption)
    {
        FakeMapService service = new(20);
        service.EndAfter(2, EndingFor(interruption));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        List<int> received = await client.Scan(Map, new() { BatchSize = 10 }).ReadAsync(service);

        Assert.Equal(Enumerable.Range(0, 20), received);
        Assert.Equal(["/0"], service.Continuations);
    }

    [Fact]
    public async Task A_scan_survives_an_agent_that_is_killed_and_comes_back()
    {
        FakeMapService service = new(30);
        FakeAgent agent = await FakeAgent.StartAsync(service);
        TaskCompletionSource hang = new();
        service.EndAfter(1, context => hang.Task.WaitAsync(context.CancellationToken));
        int port = agent.Port;
        FakeAgent? successor = null;

        // The first try finds nobody, the one after it the new agent.
        async ValueTask StartSuccessorAsync(ScanResume resume)
        {
            if (resume.Try == 2)
            {
                Assert.IsType<AgentUnreachableException>(resume.Cause);
                successor = await FakeAgent.StartAsync(service, options => FakeAgent.ListenOnLoopback(options, port));
            }
        }

        using BpfRemoteClient client = agent.Connect();
        ScanOptions options = new()
        {
            BatchSize = 10,
            OnResume = resume => StartSuccessorAsync(resume).AsTask().GetAwaiter().GetResult(),
        };
        List<int> received = [];
        await foreach (MapBatch batch in client.Scan(Map, options))
        {
            received.AddRange(Enumerable.Range(received.Count, batch.Count));
            service.Acknowledge();
            if (received.Count == 10)
            {
                await agent.DisposeAsync();
            }
        }

        Assert.Equal(30, received.Count);
        Assert.Equal(["/0", "10/0"], service.Continuations);
        await successor!.DisposeAsync();
    }

    [Fact]
    public async Task Costs_add_up_over_the_calls()
    {
        FakeMapService service = new(30);
        service.EndAfter(1, Ending.Reset(Cancel));
        service.EndAfter(1, Ending.Disconnect);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        List<ScanCost> costs = [];
        await foreach (MapBatch batch in client.Scan(Map, new() { BatchSize = 10 }))
        {
            costs.Add(batch.Cost);
            service.Acknowledge();
        }

        Assert.Equal([10ul, 20ul, 30ul], costs.Select(cost => cost.Entries));
        Assert.Equal([1ul, 2ul, 3ul], costs.Select(cost => cost.NativeCalls));
        Assert.All(costs, cost => Assert.Equal(1ul, cost.Restarts));
    }

    [Fact]
    public async Task Waits_double_up_to_the_most_and_tries_without_progress_are_bounded()
    {
        FakeMapService service = new(30);
        service.EndAfter(1, Ending.Status(StatusCode.Unavailable));
        for (int i = 0; i < 10; i++)
        {
            service.EndAfter(0, Ending.Status(StatusCode.Unavailable, "DRAINING"));
        }

        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        ImmediateTimeProvider time = new();
        using BpfRemoteClient client = agent.Connect(time);
        List<int> received = [];
        List<ScanResume> resumes = [];

        BpfRemoteException error = await Assert.ThrowsAsync<BpfRemoteException>(() =>
            client.Scan(Map, new() { OnResume = resumes.Add }).ReadAsync(service, received, TestContext.Current.CancellationToken));

        Assert.Equal(Enumerable.Range(0, 10), received);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Equal(ErrorReason.Draining, error.Reason);
        Assert.Equal("10", error.ContinuationToken);
        Assert.Equal(11, service.Scans.Length);
        Assert.Equal(Enumerable.Range(1, 10), resumes.Select(resume => resume.Try));
        Assert.Equal(resumes.Select(resume => (long)resume.Delay.TotalMilliseconds), time.Waits.Select(wait => (long)wait.TotalMilliseconds));
        double[] expected = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5];
        Assert.All(time.Waits.Zip(expected), pair => Assert.InRange(pair.First.TotalSeconds, (pair.Second * 0.8) - 0.001, pair.Second * 1.2));
    }

    [Fact]
    public async Task Progress_gives_all_tries_back()
    {
        FakeMapService service = new(60);
        for (int i = 0; i < 5; i++)
        {
            service.EndAfter(1, Ending.Reset(Cancel));
            service.EndAfter(0, Ending.Reset(Cancel));
        }

        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = BpfRemoteClient.Connect(FakeAgent.OptionsFor(agent.Port) with { MaxTriesWithoutProgress = 2 });

        List<int> received = await client.Scan(Map).ReadAsync(service);

        Assert.Equal(Enumerable.Range(0, 60), received);
        Assert.Equal(11, service.Scans.Length);
    }

    [Fact]
    public async Task No_tries_at_all_can_be_asked_for()
    {
        FakeMapService service = new(30);
        service.EndAfter(1, Ending.Status(StatusCode.Unavailable));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = BpfRemoteClient.Connect(FakeAgent.OptionsFor(agent.Port) with { MaxTriesWithoutProgress = 0 });

        await Assert.ThrowsAsync<BpfRemoteException>(() => client.Scan(Map).ReadAsync(service));
        Assert.Single(service.Scans);
    }

    [Fact]
    public async Task An_exhausted_agent_is_given_the_time_it_asks_for()
    {
        FakeMapService service = new(30);
        service.EndAfter(1, Ending.Status(StatusCode.ResourceExhausted, "TOO_MANY_SCANS", TimeSpan.FromSeconds(17)));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        ImmediateTimeProvider time = new();
        using BpfRemoteClient client = agent.Connect(time);

        Assert.Equal(Enumerable.Range(0, 30), await client.Scan(Map).ReadAsync(service));
        Assert.Equal([TimeSpan.FromSeconds(17)], time.Waits);
    }

    [Theory]
    [InlineData(StatusCode.Internal, "KERNEL_ERROR", 0)]
    [InlineData(StatusCode.Aborted, "SCAN_UNSTABLE", 0)]
    [InlineData(StatusCode.FailedPrecondition, "MAP_REPLACED", 0)]
    [InlineData(StatusCode.PermissionDenied, "READ_DENIED", 0)]
    [InlineData(StatusCode.InvalidArgument, null, 0)]
    [InlineData(StatusCode.Unimplemented, null, 0)]
    [InlineData(StatusCode.ResourceExhausted, "TOO_MANY_SCANS", 0)]
    [InlineData(StatusCode.ResourceExhausted, "TOO_MANY_SCANS", 3600)]
    [InlineData(StatusCode.Internal, "A_LATER_REASON", 0)]
    public async Task What_the_agent_means_is_not_tried_again(StatusCode code, string? reason, int retryAfterSeconds)
    {
        FakeMapService service = new(30);
        TimeSpan? retryAfter = retryAfterSeconds > 0 ? TimeSpan.FromSeconds(retryAfterSeconds) : null;
        service.EndAfter(1, Ending.Status(code, reason, retryAfter));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        BpfRemoteException error = await Assert.ThrowsAnyAsync<BpfRemoteException>(() => client.Scan(Map).ReadAsync(service));

        Assert.Equal(code, error.StatusCode);
        Assert.Equal("10", error.ContinuationToken);
        Assert.Equal(retryAfter, error.RetryAfter);
        Assert.Single(service.Scans);
    }

    [Fact]
    public async Task A_cancelled_scan_is_not_tried_again()
    {
        FakeMapService service = new(30);
        service.EndAfter(1, context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();
        using CancellationTokenSource cancellation = new();
        List<int> received = [];

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (MapBatch batch in client.Scan(Map).WithCancellation(cancellation.Token))
            {
                received.AddRange(Enumerable.Range(received.Count, batch.Count));
                await cancellation.CancelAsync();
            }
        });

        Assert.Equal(10, received.Count);
        Assert.Single(service.Scans);
    }

    [Fact]
    public async Task A_scan_cancelled_while_it_waits_is_not_tried_again()
    {
        FakeMapService service = new(30);
        service.EndAfter(1, Ending.Status(StatusCode.Unavailable));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect(TimeProvider.System);
        using CancellationTokenSource cancellation = new();
        ScanOptions options = new() { OnResume = _ => cancellation.Cancel() };
        List<int> received = [];

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.Scan(Map, options).ReadAsync(service, received, cancellation.Token));

        Assert.Equal(10, received.Count);
        Assert.Single(service.Scans);
    }

    [Fact]
    public async Task Whatever_happens_every_entry_is_received_once_and_in_order()
    {
        string[] interruptions = [.. Interruptions.Select(row => row.Data)];
        Gen<CallScript> script = Gen.Select(Gen.Int[0, 5], Gen.Int[0, interruptions.Length - 1], Gen.Bool, (responses, i, isLockstep) =>
            new CallScript(responses, EndingFor(interruptions[i]), IsLockstep: isLockstep));
        await Gen.Select(script.List[0, 8], Gen.UInt[1, 12], Gen.ULong[0, 70]).SampleAsync(
            async (scripts, batchSize, limit) =>
            {
                FakeMapService service = new(60);
                scripts.ForEach(service.Script);
                await using FakeAgent agent = await FakeAgent.StartAsync(service);
                using BpfRemoteClient client = agent.Connect();

                List<int> received = await client.Scan(Map, new() { BatchSize = batchSize, Limit = limit }).ReadAsync(service);

                Assert.Equal(Enumerable.Range(0, (int)(limit == 0 ? 60 : Math.Min(limit, 60))), received);
            },
            iter: 60,
            threads: 1);
    }

    private static Func<ServerCallContext, Task> EndingFor(string interruption) => interruption switch
    {
        "unavailable" => Ending.Status(StatusCode.Unavailable),
        "draining" => Ending.Status(StatusCode.Unavailable, "DRAINING"),
        "stream age" => Ending.Status(StatusCode.Unavailable, "STREAM_AGE"),
        "write timeout" => Ending.Status(StatusCode.Unavailable, "WRITE_TIMEOUT"),
        "exhausted" => Ending.Status(StatusCode.ResourceExhausted, "TOO_MANY_SCANS", TimeSpan.FromSeconds(1)),
        "unknown" => Ending.Status(StatusCode.Unknown),
        "internal" => Ending.Status(StatusCode.Internal),
        "disconnect" => Ending.Disconnect,
        "reset 0" => Ending.Reset(NoError),
        "reset 1" => Ending.Reset(ProtocolError),
        "reset 2" => Ending.Reset(InternalError),
        "reset 7" => Ending.Reset(RefusedStream),
        "reset 8" => Ending.Reset(Cancel),
        "reset 11" => Ending.Reset(EnhanceYourCalm),
        _ => throw new ArgumentOutOfRangeException(nameof(interruption), interruption, "no such interruption"),
    };
}
