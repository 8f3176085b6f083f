using BpfRemote.Agent.Access;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace BpfRemote.Agent.Errors;

/// <summary>What holds for every call: callers that this agent does not answer are turned away, and a failure of the kernel arrives
/// as a status of the contract.</summary>
internal sealed partial class CallBoundary(ILogger<CallBoundary> log) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Admit(context);
        try
        {
            return await continuation(request, context);
        }
        catch (BpfException e)
        {
            throw Explain(e, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Admit(context);
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (BpfException e)
        {
            throw Explain(e, context);
        }
    }

    private void Admit(ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        if (!caller.MayCall)
        {
            LogTurnedAway(caller.Principal, context.Method);
            throw ServiceError.Create(
                StatusCode.PermissionDenied,
                ErrorReason.CallerDenied,
                "this agent does not answer the caller; over its unix socket it answers root",
                ("principal", caller.Principal));
        }
    }

    private RpcException Explain(BpfException e, ServerCallContext context)
    {
        if (e.Errno is Errno.EPIPE or Errno.ECONNRESET)
        {
            // Of the socket to the broker: it has ended, and so does this process.
            return ServiceError.Create(StatusCode.Unavailable, ErrorReason.Draining, "the agent shuts down; try again");
        }

        LogKernelError(context.Method, e);
        return ServiceError.Create(
            StatusCode.Internal,
            ErrorReason.KernelError,
            $"the kernel failed the call: {e.Message}",
            ("errno", e.Errno.Name()),
            ("operation", e.Operation));
    }

    [LoggerMessage(EventId = 301, Level = LogLevel.Warning, Message = "Turned away {Principal} from {Method}")]
    private partial void LogTurnedAway(string principal, string method);

    [LoggerMessage(EventId = 302, Level = LogLevel.Error, Message = "{Method} failed in the kernel")]
    private partial void LogKernelError(string method, Exception e);
}
