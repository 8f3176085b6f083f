using System.Collections.ObjectModel;
using System.Net.Sockets;
using System.Security.Authentication;
using BpfRemote.Client.Identity;
using BpfRemote.V1;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using RpcStatus = Google.Rpc.Status;

namespace BpfRemote.Client;

/// <summary>What a failed call says of itself, read from its google.rpc.Status.</summary>
internal sealed class RpcFailure
{
    private const string Domain = "bpfremote";
    private const string NotRunning = "Is bpfremote-agent running and listening there?";

    // An agent that asks for more is not one to wait for in silence: the caller learns the time from the exception.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    private static readonly EnumDescriptor Reasons =
        ErrorReasonReflection.Descriptor.FindTypeByName<EnumDescriptor>(nameof(ErrorReason));

    private readonly bool _hasErrorInfo;

    private RpcFailure() => StatusCode = StatusCode.Internal;

    public RpcFailure(RpcException cause)
    {
        Cause = cause;

        // .NET cancels an attempt to connect that takes too long.
        StatusCode = ConnectError is TimeoutException ? StatusCode.Unavailable : cause.StatusCode;
        RpcStatus? status = cause.Trailers.GetRpcStatus(ignoreParseError: true);
        if (status?.GetDetail<ErrorInfo>() is { Domain: Domain } info)
        {
            _hasErrorInfo = true;
            Reason = (ErrorReason)(Reasons.FindValueByName("ERROR_REASON_" + info.Reason)?.Number ?? 0);
            Metadata = info.Metadata;
        }

        Violations = status?.GetDetail<BadRequest>()?.FieldViolations ?? Violations;
        RetryAfter = status?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan();
    }

    /// <summary>An answer that contradicts the protocol.</summary>
    public static RpcFailure InvalidResponse { get; } = new();

    public RpcException? Cause { get; }

    public StatusCode StatusCode { get; }

    public ErrorReason Reason { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; } = ReadOnlyDictionary<string, string>.Empty;

    public IReadOnlyList<BadRequest.Types.FieldViolation> Violations { get; } = [];

    public TimeSpan? RetryAfter { get; }

    /// <summary>Whether the scan may succeed from where it was interrupted.</summary>
    public bool IsResumable => RetryAfter is not { } wait || wait <= LongestWait
        ? StatusCode switch
        {
            StatusCode.Unavailable => !IsRefusedConnection,
            // With no time to wait it is ENHANCE_YOUR_CALM from the transport, or this side's own refusal of a large message.
            StatusCode.ResourceExhausted => RetryAfter is not null || (!_hasErrorInfo && TransportError is not null),
            // How resets and dying proxies arrive. An agent that means one of these statuses says so in its ErrorInfo.
            StatusCode.Cancelled or StatusCode.Unknown or StatusCode.Internal or StatusCode.DeadlineExceeded
                or StatusCode.Aborted or StatusCode.DataLoss => !_hasErrorInfo && !IsRefusedConnection,
            _ => false,
        }
        : false;

    private Exception? TransportError => Cause?.Status.DebugException;

    // Errors that trying again does not cure: no right to the socket, no trust in a certificate, no token.
    private bool IsRefusedConnection => IdentityError is { MayPass: false } || FindTransportError(
        error => error is AuthenticationException or SocketException { SocketErrorCode: SocketError.AccessDenied }) is not null;

    private IdentityException? IdentityError =>
        (IdentityException?)FindTransportError(static error => error is IdentityException) ?? TlsAlert.Find(TransportError);

    private Exception? ConnectError => FindTransportError(
        static error => error is TimeoutException or HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError,
        });

    /// <summary>The exception a caller sees.</summary>
    /// <param name="agent">What the agent was called with, where that is known.</param>
    /// <param name="continuationToken">Where the scan can be continued, if it was one.</param>
    public BpfRemoteException ToException(BpfRemoteClientOptions? agent, string? continuationToken = null)
    {
        string message = Cause?.Status.Detail ?? "";
        return (StatusCode, Reason) switch
        {
            (_, ErrorReason.MapNotFound) => new MapNotFoundException(message, this, continuationToken),
            (_, ErrorReason.TokenInvalid or ErrorReason.TokenExpired or ErrorReason.MapReplaced) =>
                new ContinuationTokenException(message, this, continuationToken),
            (StatusCode.Unauthenticated, _) when agent?.TokenFile is { } file =>
                new PermissionDeniedException($"The agent refused the token of '{file}': {message}", this, continuationToken),
            (StatusCode.PermissionDenied or StatusCode.Unauthenticated, _) =>
                new PermissionDeniedException(message, this, continuationToken),
            _ when IdentityError is { } error =>
                new AgentUnreachableException(CannotReach(agent, error.Message, error.Advice), this, continuationToken),
            _ when ConnectError is { } error =>
                new AgentUnreachableException(DescribeConnectError(agent, error), this, continuationToken),
            _ => new BpfRemoteException(message, this, continuationToken),
        };
    }

    private static string DescribeConnectError(BpfRemoteClientOptions? agent, Exception error)
    {
        Exception cause = error.GetBaseException();
        (string what, string advice) = cause switch
        {
            SocketException { SocketErrorCode: SocketError.AccessDenied } =>
                (cause.Message, "The socket is for root and its group: are you a member?"),
            // .NET has no socket error for ENOENT and puts EADDRNOTAVAIL in its place.
            SocketException { SocketErrorCode: SocketError.AddressNotAvailable }
                when agent?.Address.StartsWith("unix:", StringComparison.Ordinal) == true =>
                ("there is no such socket", NotRunning),
            TimeoutException when agent is not null => (
                FormattableString.Invariant($"no connection was made within {agent.ConnectTimeout.TotalSeconds} s"), NotRunning),
            _ => (cause.Message, NotRunning),
        };
        return CannotReach(agent, what, advice);
    }

    private static string CannotReach(BpfRemoteClientOptions? agent, string what, string advice) =>
        $"Cannot reach the agent at {agent?.Address ?? "its address"}: {what.TrimEnd('.')}. {advice}";

    private Exception? FindTransportError(Func<Exception, bool> fits)
    {
        Exception? error = TransportError;
        while (error is not null && !fits(error))
        {
            error = error.InnerException;
        }

        return error;
    }
}
