using BpfRemote.Agent.Access;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace BpfRemote.Agent.Limits;

/// <summary>Counts what unary calls answer until it has left: a client that takes no answers cannot pile them up.</summary>
internal sealed class AnswerBudget(BufferBudget buffers) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        TResponse response = await continuation(request, context);
        if (response is IMessage message)
        {
            string principal = Caller.Of(context).Principal;
            int size = message.CalculateSize();
            buffers.Take(principal, size);
            context.GetHttpContext().Response.OnCompleted(() =>
            {
                buffers.Give(principal, size);
                return Task.CompletedTask;
            });
        }

        return response;
    }
}
