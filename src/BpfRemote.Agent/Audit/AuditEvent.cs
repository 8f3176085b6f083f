namespace BpfRemote.Agent.Audit;

/// <summary>What an audit line is about.</summary>
internal enum AuditEvent
{
    /// <summary>A call is let through; nothing has been sent yet.</summary>
    Admitted,

    /// <summary>A call is turned away by the policy; nothing has been or will be sent.</summary>
    Denied,

    /// <summary>A call has ended.</summary>
    Ended,
}
