using Grpc.Core;

namespace BpfRemote.Agent.Audit;

/// <summary>Has the audit log take a call down before its first response leaves.</summary>
/// <param name="responses">Where responses go.</param>
/// <param name="admit">Takes the call down; throws where nothing may be sent.</param>
internal sealed class AuditedStream<T>(IServerStreamWriter<T> responses, Action admit) : IServerStreamWriter<T>
{
    private bool _isAdmitted;

    public WriteOptions? WriteOptions
    {
        get => responses.WriteOptions;
        set => responses.WriteOptions = value;
    }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (!_isAdmitted)
        {
            admit();
            _isAdmitted = true;
        }

        return responses.WriteAsync(message, cancellationToken);
    }
}
