using BpfRemote.Agent.Audit;
using Grpc.Core;
using Xunit;

namespace BpfRemote.Agent.Tests.Audit;

public sealed class AuditedStreamTests
{
    private readonly List<string> _events = [];

    [Fact]
    public async Task The_call_is_taken_down_once_before_the_first_response()
    {
        AuditedStream<string> stream = new(new Responses(_events), () => _events.Add("admitted"));

        await stream.WriteAsync("one", TestContext.Current.CancellationToken);
        await stream.WriteAsync("two", TestContext.Current.CancellationToken);

        Assert.Equal(["admitted", "one", "two"], _events);
    }

    [Fact]
    public async Task Where_it_cannot_be_taken_down_nothing_is_sent()
    {
        AuditedStream<string> stream = new(new Responses(_events), () => throw new RpcException(new Status(StatusCode.Unavailable, "")));

        for (int i = 0; i < 2; i++)
        {
            await Assert.ThrowsAsync<RpcException>(() => stream.WriteAsync("one", TestContext.Current.CancellationToken));
        }

        Assert.Empty(_events);
    }

    private sealed class Responses(List<string> events) : IServerStreamWriter<string>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(string message)
        {
            events.Add(message);
            return Task.CompletedTask;
        }

        public Task WriteAsync(string message, CancellationToken cancellationToken) => WriteAsync(message);
    }
}
