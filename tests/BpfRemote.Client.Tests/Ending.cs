using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace BpfRemote.Client.Tests;

/// <summary>Ways for a call to end.</summary>
internal static class Ending
{
    public static Func<ServerCallContext, Task> Ok => _ => Task.CompletedTask;

    /// <summary>The stream is reset with an HTTP/2 error code.</summary>
    public static Func<ServerCallContext, Task> Reset(int code) => context =>
    {
        context.GetHttpContext().Features.GetRequiredFeature<IHttpResetFeature>().Reset(code);
        return Task.CompletedTask;
    };

    /// <summary>The connection is closed under the call.</summary>
    public static Func<ServerCallContext, Task> Disconnect => context =>
    {
        context.GetHttpContext().Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
        return Task.CompletedTask;
    };

    /// <summary>A status as the agent gives it.</summary>
    public static Func<ServerCallContext, Task> Status(
        StatusCode code,
        string? reason = null,
        TimeSpan? retryAfter = null,
        Dictionary<string, string>? metadata = null,
        params string[] violations) => _ =>
    {
        Google.Rpc.Status status = new() { Code = (int)code, Message = $"scripted {code}" };
        if (reason is not null)
        {
            status.Details.Add(Any.Pack(new ErrorInfo { Domain = "bpfremote", Reason = reason, Metadata = { metadata ?? [] } }));
        }

        if (retryAfter is { } delay)
        {
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = delay.ToDuration() }));
        }

        if (violations.Length > 0)
        {
            BadRequest bad = new();
            bad.FieldViolations.Add(violations.Select(field => new BadRequest.Types.FieldViolation { Field = field }));
            status.Details.Add(Any.Pack(bad));
        }

        throw status.ToRpcException();
    };
}
