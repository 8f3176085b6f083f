using BpfRemote.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace BpfRemote.Agent.Errors;

/// <summary>Errors as the contract publishes them: google.rpc.Status with exactly one ErrorInfo, every dynamic value in metadata.</summary>
internal static class ServiceError
{
    /// <summary>The domain of every ErrorInfo.</summary>
    public const string Domain = "bpfremote";

    private const int MaxViolations = 20;
    private const int MaxDetailLength = 640;

    /// <summary>An error with a reason.</summary>
    /// <param name="code">The gRPC status.</param>
    /// <param name="reason">The published reason.</param>
    /// <param name="message">A sentence for people; says what was expected where the caller can do something.</param>
    /// <param name="metadata">Dynamic values, by lower_snake_case name.</param>
    public static RpcException Create(
        StatusCode code, ErrorReason reason, string message, params ReadOnlySpan<(string Key, string Value)> metadata) =>
        Describe(code, reason, message, metadata).ToRpcException();

    /// <summary>An error that waiting helps against.</summary>
    public static RpcException CreateRetryable(
        StatusCode code, ErrorReason reason, string message, TimeSpan retryAfter, params ReadOnlySpan<(string Key, string Value)> metadata)
    {
        Google.Rpc.Status status = Describe(code, reason, message, metadata);
        status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(retryAfter) }));
        return status.ToRpcException();
    }

    /// <summary>INVALID_ARGUMENT with every violation at once, at most 20.</summary>
    public static RpcException InvalidFields(IReadOnlyList<FieldViolation> violations)
    {
        string message = string.Join("; ", violations.Take(MaxViolations).Select(v => $"{v.Field}: {v.Description}"));
        Google.Rpc.Status status = Describe(StatusCode.InvalidArgument, ErrorReason.FieldInvalid, message, []);
        BadRequest badRequest = new();
        foreach (FieldViolation violation in violations.Take(MaxViolations))
        {
            badRequest.FieldViolations.Add(new BadRequest.Types.FieldViolation
            {
                Field = violation.Field,
                Description = violation.Description,
            });
        }

        status.Details.Add(Any.Pack(badRequest));
        return status.ToRpcException();
    }

    /// <summary>The one answer for a map that does not exist and for one that the caller may not list.</summary>
    public static RpcException MapNotFound() =>
        Create(StatusCode.NotFound, ErrorReason.MapNotFound, "no such map, or the caller may not list it");

    /// <summary>The one answer for a map of a scan that is gone and for one that the caller may not list any more.</summary>
    public static RpcException MapReplaced() =>
        Create(StatusCode.FailedPrecondition, ErrorReason.MapReplaced, "the map of the scan is gone");

    private static Google.Rpc.Status Describe(
        StatusCode code, ErrorReason reason, string message, ReadOnlySpan<(string Key, string Value)> metadata)
    {
        ErrorInfo info = new() { Domain = Domain, Reason = NameOf(reason) };
        foreach ((string key, string value) in metadata)
        {
            info.Metadata[key] = Shorten(value);
        }

        return new Google.Rpc.Status { Code = (int)code, Message = Shorten(message), Details = { Any.Pack(info) } };
    }

    /// <summary>The reason without its enum's prefix: <c>MAP_NOT_FOUND</c>.</summary>
    public static string NameOf(ErrorReason reason) =>
        ErrorReasonReflection.Descriptor.EnumTypes[0].FindValueByNumber((int)reason).Name["ERROR_REASON_".Length..];

    private static string Shorten(string text) => text.Length <= MaxDetailLength ? text : text[..MaxDetailLength] + "…";
}

/// <summary>One thing wrong with a request.</summary>
/// <param name="Field">The field, as the proto spells it.</param>
/// <param name="Description">What was expected.</param>
internal readonly record struct FieldViolation(string Field, string Description);
