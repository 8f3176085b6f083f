using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Client.Tests;

/// <summary>An answer that contradicts the protocol never makes a scan look complete.</summary>
public sealed class InvalidResponseTests
{
    public static TheoryData<string, string> Alterations => new()
    {
        { "keys cut", "'keys' has 39 bytes, but 10 entries of 4 bytes make 40" },
        { "keys missing", "'keys' has 0 bytes, but 10 entries of 4 bytes make 40" },
        { "values cut", "'values' has 79 bytes, but 10 entries of 8 bytes make 80" },
        { "values missing", "'values' has 0 bytes, but 10 entries of 8 bytes make 80" },
        { "count too high", "'keys' has 40 bytes, but 11 entries of 4 bytes make 44" },
        { "count absurd", "a response of 4294967295 entries" },
        { "layout missing", "the first response of the call has no layout" },
    };

    [Theory]
    [MemberData(nameof(Alterations))]
    public async Task A_response_of_the_wrong_shape_is_refused(string alteration, string message)
    {
        FakeMapService service = new(30);
        service.EndAfter(1, Ending.Reset(8));
        service.Script(new(-1, Ending.Ok, response => Alter(response, alteration)));

        (List<int> received, InvalidResponseException error) = await FailAsync(service, new());

        Assert.Equal(Enumerable.Range(0, 10), received);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal("10", error.ContinuationToken);
        Assert.Equal(2, service.Scans.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Status_ok_before_the_end_is_an_error(int responses)
    {
        FakeMapService service = new(30);
        service.EndAfter(responses, Ending.Ok);

        (List<int> received, InvalidResponseException error) = await FailAsync(service, new());

        Assert.Equal(Enumerable.Range(0, 10 * responses), received);
        Assert.Contains("status OK", error.Message, StringComparison.Ordinal);
        Assert.Equal(responses == 0 ? null : $"{10 * responses}", error.ContinuationToken);
    }

    [Fact]
    public async Task Status_ok_of_a_limited_call_that_sent_nothing_is_an_error()
    {
        FakeMapService service = new(30);
        service.EndAfter(0, Ending.Ok);

        (List<int> received, InvalidResponseException error) = await FailAsync(service, new() { Limit = 5 });

        Assert.Empty(received);
        Assert.Equal(StatusCode.Internal, error.StatusCode);
    }

    [Fact]
    public async Task A_limit_may_end_before_a_bucket_that_would_exceed_it()
    {
        FakeMapService service = new(30);
        service.EndAfter(1, Ending.Ok);
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        Assert.Equal(Enumerable.Range(0, 10), await client.Scan(MapSelectors.ById(7), new() { Limit = 15 }).ReadAsync(service));
    }

    [Fact]
    public async Task A_response_after_the_completing_one_is_an_error()
    {
        FakeMapService service = new(30);
        service.Script(new(2, Ending.Ok, response => response.ContinuationToken = ""));

        (List<int> received, InvalidResponseException error) = await FailAsync(service, new());

        Assert.Equal(Enumerable.Range(0, 10), received);
        Assert.Contains("follows the one that completed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_that_the_agent_means_counts_even_after_the_completing_response()
    {
        FakeMapService service = new(10);
        service.EndAfter(1, Ending.Status(StatusCode.Internal, "KERNEL_ERROR"));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        BpfRemoteException error =
            await Assert.ThrowsAsync<BpfRemoteException>(() => client.Scan(MapSelectors.ById(7)).ReadAsync(service));
        Assert.Equal(ErrorReason.KernelError, error.Reason);
    }

    private static async Task<(List<int> Received, InvalidResponseException Error)> FailAsync(FakeMapService service, ScanOptions options)
    {
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();
        List<int> received = [];
        InvalidResponseException error = await Assert.ThrowsAsync<InvalidResponseException>(() =>
            client.Scan(MapSelectors.ById(7), options).ReadAsync(service, received, TestContext.Current.CancellationToken));
        return (received, error);
    }

    private static void Alter(LookupBatchResponse response, string alteration)
    {
        switch (alteration)
        {
            case "keys cut":
                response.Keys = ByteString.CopyFrom(response.Keys.Span[..^1]);
                break;
            case "keys missing":
                response.Keys = ByteString.Empty;
                break;
            case "values cut":
                response.Values = ByteString.CopyFrom(response.Values.Span[..^1]);
                break;
            case "values missing":
                response.Values = ByteString.Empty;
                break;
            case "count too high":
                response.Count++;
                break;
            case "count absurd":
                response.Count = uint.MaxValue;
                break;
            case "layout missing":
                response.Layout = null;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(alteration), alteration, "no such alteration");
        }
    }
}
