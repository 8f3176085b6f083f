using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BpfRemote.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace BpfRemote.Client.Tests;

public sealed class ErrorTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StatusCode.NotFound, "MAP_NOT_FOUND", ErrorReason.MapNotFound, typeof(MapNotFoundException))]
    [InlineData(StatusCode.PermissionDenied, "READ_DENIED", ErrorReason.ReadDenied, typeof(PermissionDeniedException))]
    [InlineData(StatusCode.PermissionDenied, "PACE_DENIED", ErrorReason.PaceDenied, typeof(PermissionDeniedException))]
    [InlineData(StatusCode.Unauthenticated, null, ErrorReason.Unspecified, typeof(PermissionDeniedException))]
    [InlineData(StatusCode.InvalidArgument, "TOKEN_INVALID", ErrorReason.TokenInvalid, typeof(ContinuationTokenException))]
    [InlineData(StatusCode.FailedPrecondition, "TOKEN_EXPIRED", ErrorReason.TokenExpired, typeof(ContinuationTokenException))]
    [InlineData(StatusCode.FailedPrecondition, "MAP_REPLACED", ErrorReason.MapReplaced, typeof(ContinuationTokenException))]
    [InlineData(StatusCode.FailedPrecondition, "MAP_NOT_READABLE", ErrorReason.MapNotReadable, typeof(BpfRemoteException))]
    [InlineData(StatusCode.FailedPrecondition, "A_LATER_REASON", ErrorReason.Unspecified, typeof(BpfRemoteException))]
    [InlineData(StatusCode.Unavailable, "DRAINING", ErrorReason.Draining, typeof(BpfRemoteException))]
    public async Task An_error_has_the_type_and_the_reason_the_agent_gives(
        StatusCode code, string? reason, ErrorReason expected, Type type)
    {
        BpfRemoteException error = await FailAsync(Ending.Status(code, reason));

        Assert.IsType(type, error);
        Assert.Equal(code, error.StatusCode);
        Assert.Equal(expected, error.Reason);
        Assert.Equal($"scripted {code}", error.Message);
        Assert.Null(error.ContinuationToken);
    }

    [Fact]
    public async Task An_error_carries_every_detail()
    {
        BpfRemoteException error = await FailAsync(Ending.Status(
            StatusCode.InvalidArgument,
            "FIELD_INVALID",
            TimeSpan.FromSeconds(2),
            new() { ["errno"] = "ENOTSUPP" },
            "map.id",
            "batch_size"));

        Assert.Equal("ENOTSUPP", Assert.Single(error.Metadata, pair => pair.Key == "errno").Value);
        Assert.Equal(["map.id", "batch_size"], error.Violations.Select(violation => violation.Field));
        Assert.Equal(TimeSpan.FromSeconds(2), error.RetryAfter);
    }

    [Fact]
    public async Task An_error_without_details_is_an_error_all_the_same()
    {
        BpfRemoteException error = await FailAsync(_ => throw new RpcException(new(StatusCode.Unimplemented, "no such method")));

        Assert.Equal((StatusCode.Unimplemented, ErrorReason.Unspecified), (error.StatusCode, error.Reason));
        Assert.Empty(error.Metadata);
        Assert.Empty(error.Violations);
        Assert.Null(error.RetryAfter);
    }

    [Fact]
    public async Task Where_no_agent_listens_the_error_names_the_address_and_the_usual_reason()
    {
        const string Address = "unix:///nonexistent/bpfremote/agent.sock";
        using BpfRemoteClient client = BpfRemoteClient.Connect(new() { Address = Address });

        AgentUnreachableException error = await Assert.ThrowsAsync<AgentUnreachableException>(() => client.GetNodeAsync(Cancellation));

        Assert.StartsWith($"Cannot reach the agent at {Address}: there is no such socket.", error.Message, StringComparison.Ordinal);
        Assert.Contains("Is bpfremote-agent running", error.Message, StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    [Fact]
    public async Task A_host_that_does_not_exist_is_an_agent_out_of_reach()
    {
        using BpfRemoteClient client = BpfRemoteClient.Connect(new() { Address = "https://agent.invalid:1" });

        await Assert.ThrowsAsync<AgentUnreachableException>(() => client.GetNodeAsync(Cancellation));
    }

    [Fact]
    public async Task A_scan_that_finds_no_agent_gives_up_after_its_tries()
    {
        int port = UnusedPort();
        ImmediateTimeProvider time = new();
        using BpfRemoteClient client = BpfRemoteClient.Connect(FakeAgent.OptionsFor(port, time));

        await Assert.ThrowsAsync<AgentUnreachableException>(() => client.Scan(MapSelectors.ById(7)).ReadAsync(new(0)));
        Assert.Equal(10, time.Waits.Length);
    }

    [Fact]
    public async Task An_untrusted_certificate_is_said_to_be_one_and_not_tried_again()
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        await using FakeAgent agent = await FakeAgent.StartAsync(new(5), options => options.Listen(IPAddress.Loopback, 0, listener =>
        {
            listener.Protocols = HttpProtocols.Http2;
            listener.UseHttps(certificate);
        }));
        ImmediateTimeProvider time = new();
        using BpfRemoteClient client = BpfRemoteClient.Connect(new() { Address = $"https://localhost:{agent.Port}", TimeProvider = time });

        AgentUnreachableException error = await Assert.ThrowsAsync<AgentUnreachableException>(
            () => client.Scan(MapSelectors.ById(7)).ReadAsync(new(0)));

        Assert.Contains("is not trusted by this system", error.Message, StringComparison.Ordinal);
        Assert.Empty(time.Waits);
    }

    private static async Task<BpfRemoteException> FailAsync(Func<ServerCallContext, Task> refusal)
    {
        FakeMapService service = new(1) { Refusal = refusal };
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();
        return await Assert.ThrowsAnyAsync<BpfRemoteException>(
            () => client.GetMapAsync(MapSelectors.ById(7), cancellationToken: Cancellation));
    }

    private static int UnusedPort()
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
