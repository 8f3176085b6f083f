using BpfRemote.V1;
using Google.Rpc;
using Grpc.Core;

namespace BpfRemote.Client;

/// <summary>The agent refused a call or could not finish it, or could not be reached.</summary>
public class BpfRemoteException : Exception
{
    internal BpfRemoteException(string message, RpcFailure failure, string? continuationToken)
        : base(message, failure.Cause)
    {
        StatusCode = failure.StatusCode;
        Reason = failure.Reason;
        Metadata = failure.Metadata;
        Violations = failure.Violations;
        RetryAfter = failure.RetryAfter;
        ContinuationToken = continuationToken;
    }

    /// <summary>The gRPC status.</summary>
    public StatusCode StatusCode { get; }

    /// <summary>Why; <see cref="ErrorReason.Unspecified"/> where the agent does not say, or is newer than this library.</summary>
    public ErrorReason Reason { get; }

    /// <summary>The facts that belong to <see cref="Reason"/>, such as <c>errno</c> or <c>map_ids</c>; see that enum.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The fields of the request that are wrong, at most 20.</summary>
    public IReadOnlyList<BadRequest.Types.FieldViolation> Violations { get; }

    /// <summary>How long to wait before the call may succeed, where the agent says.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>
    /// Where a failed scan can be continued with <see cref="ScanOptions.ContinuationToken"/>: after the last batch the caller was
    /// done with, or else where the scan began; <see langword="null"/> where that is the start of the map, or no scan failed.
    /// </summary>
    public string? ContinuationToken { get; }
}

/// <summary>There is no such map, or none the caller may list: the agent does not say which.</summary>
public sealed class MapNotFoundException : BpfRemoteException
{
    internal MapNotFoundException(string message, RpcFailure failure, string? continuationToken)
        : base(message, failure, continuationToken)
    {
    }
}

/// <summary>
/// The caller may not do that, or (<see cref="StatusCode.Unauthenticated"/>) its token is refused;
/// <see cref="BpfRemoteException.Reason"/> says what.
/// </summary>
public sealed class PermissionDeniedException : BpfRemoteException
{
    internal PermissionDeniedException(string message, RpcFailure failure, string? continuationToken)
        : base(message, failure, continuationToken)
    {
    }
}

/// <summary>
/// The scan cannot go on from its token and must begin anew: the token is none of this map
/// (<see cref="ErrorReason.TokenInvalid"/>) or too old (<see cref="ErrorReason.TokenExpired"/>), or the map is gone
/// (<see cref="ErrorReason.MapReplaced"/>).
/// </summary>
public sealed class ContinuationTokenException : BpfRemoteException
{
    internal ContinuationTokenException(string message, RpcFailure failure, string? continuationToken)
        : base(message, failure, continuationToken)
    {
    }
}

/// <summary>
/// No agent answers at the address, one of the two sides does not accept the other's certificate, or a file that says who the caller
/// is cannot be used; the message says which, and what to check.
/// </summary>
public sealed class AgentUnreachableException : BpfRemoteException
{
    internal AgentUnreachableException(string message, RpcFailure failure, string? continuationToken)
        : base(message, failure, continuationToken)
    {
    }
}

/// <summary>The agent's answer contradicts the protocol, so nothing that follows from it can be trusted.</summary>
public sealed class InvalidResponseException : BpfRemoteException
{
    internal InvalidResponseException(string what, string? continuationToken = null)
        : base($"The agent's answer contradicts the protocol: {what}.", RpcFailure.InvalidResponse, continuationToken)
    {
    }
}
