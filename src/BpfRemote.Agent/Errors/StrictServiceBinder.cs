using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Agent.Errors;

/// <summary>Binds a service so that bytes which are no request of the method are their sender's mistake, with a status of the contract:
/// left to itself, gRPC answers UNKNOWN and logs an error for whatever anybody sends.</summary>
internal sealed class StrictServiceBinder : ServiceBinderBase
{
    private readonly ServerServiceDefinition.Builder _definition = ServerServiceDefinition.CreateBuilder();

    /// <summary>Binds a service.</summary>
    /// <param name="bind">The generated BindService, given a binder and the service.</param>
    public static ServerServiceDefinition Bind(Action<ServiceBinderBase> bind)
    {
        StrictServiceBinder binder = new();
        bind(binder);
        return binder._definition.Build();
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        _definition.AddMethod(Strict(method), handler ?? throw new ArgumentNullException(nameof(handler)));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        _definition.AddMethod(Strict(method), handler ?? throw new ArgumentNullException(nameof(handler)));

    private static Method<TRequest, TResponse> Strict<TRequest, TResponse>(Method<TRequest, TResponse> method)
        where TRequest : class
        where TResponse : class
    {
        Marshaller<TRequest> requests = method.RequestMarshaller;
        Marshaller<TRequest> strict = new(requests.ContextualSerializer, context => Read(requests, context));
        return new(method.Type, method.ServiceName, method.Name, strict, method.ResponseMarshaller);
    }

    private static TRequest Read<TRequest>(Marshaller<TRequest> requests, DeserializationContext context)
    {
        try
        {
            return requests.ContextualDeserializer(context);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw ServiceError.Create(
                StatusCode.InvalidArgument, ErrorReason.FieldInvalid, $"the message is no request of this method: {e.Message}");
        }
    }
}
