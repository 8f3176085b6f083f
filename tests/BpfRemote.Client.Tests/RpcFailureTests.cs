using System.Net.Sockets;
using Grpc.Core;

namespace BpfRemote.Client.Tests;

public sealed class RpcFailureTests
{
    [Theory]
    [InlineData(SocketError.ConnectionRefused, true, "Is bpfremote-agent running")]
    [InlineData(SocketError.AddressNotAvailable, true, "Is bpfremote-agent running")]
    [InlineData(SocketError.AccessDenied, false, "The socket is for root and its group")]
    public void A_socket_the_caller_may_not_use_is_not_tried_again(SocketError error, bool isResumable, string advice)
    {
        HttpRequestException connect = new(HttpRequestError.ConnectionError, inner: new SocketException((int)error));
        RpcFailure failure = new(new RpcException(new(StatusCode.Unavailable, "Error starting gRPC call.", connect)));

        Assert.Equal(isResumable, failure.IsResumable);
        AgentUnreachableException exception = Assert.IsType<AgentUnreachableException>(failure.ToException(new() { Address = "unix:///a.sock" }));
        Assert.Contains("unix:///a.sock", exception.Message, StringComparison.Ordinal);
        Assert.Contains(advice, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_too_large_for_this_side_is_not_asked_for_again() =>
        Assert.False(new RpcFailure(new(new(StatusCode.ResourceExhausted, "Received message exceeds the maximum."))).IsResumable);
}
