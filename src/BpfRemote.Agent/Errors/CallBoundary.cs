using BpfRemote.Agent.Access;
using BpfRemote.Agent.Audit;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace BpfRemote.Agent.Errors;

/// <summary>What holds for every call: its caller is identified and judged by the policy, the audit log has it before anything is
/// sent, and a failure of the kernel arrives as a status of the contract.</summary>
internal sealed partial class CallBoundary(
    CallerIdentity identity, AccessControl control, AuditLog audit, TimeProvider time, ILogger<CallBoundary> log) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        AnswerAsync(context, async admit =>
        {
            TResponse response = await continuation(request, context);
            admit();
            return response;
        });

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        AnswerAsync(context, async admit =>
        {
            await continuation(request, new AuditedStream<TResponse>(responseStream, admit), context);
            return true;
        });

    /// <summary>Answers a call.</summary>
    /// <param name="context">The call.</param>
    /// <param name="answer">Is given what takes the call down, which must come before the first response.</param>
    private async Task<T> AnswerAsync<T>(ServerCallContext context, Func<Action, Task<T>> answer)
    {
        CallRecord? record = null;
        bool isAdmitted = false;
        try
        {
            Caller caller = await identity.IdentifyAsync(context);
            record = new(caller, context.Method);
            context.GetHttpContext().Features.Set(caller);
            context.GetHttpContext().Features.Set(new CallAccess(caller, record, control, time, context.CancellationToken));
            T result = await answer(() =>
            {
                audit.Admit(record);
                isAdmitted = true;
            });
            return result;
        }
        catch (BpfException e)
        {
            RpcException failure = Explain(e, context);
            Fail(failure.StatusCode);
            throw failure;
        }
        catch (RpcException e)
        {
            Fail(e.StatusCode);
            throw;
        }
        catch (Exception)
        {
            Fail(context.CancellationToken.IsCancellationRequested ? StatusCode.Cancelled : StatusCode.Unknown);
            throw;
        }
        finally
        {
            if (record is not null)
            {
                End(record, isAdmitted);
            }
        }

        void Fail(StatusCode status)
        {
            record ??= new(CallerIdentity.Suppose(context), context.Method);
            record.Status = status;
            if (status is StatusCode.Unauthenticated or StatusCode.PermissionDenied)
            {
                record.TurnAway();
            }
        }
    }

    private void End(CallRecord record, bool isAdmitted)
    {
        if (isAdmitted || record.IsAllowed)
        {
            audit.End(record);
        }
        else
        {
            LogTurnedAway(record.Caller.Principal, record.Method);
            audit.Deny(record);
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
