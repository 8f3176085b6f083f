namespace BpfRemote.Agent.Audit;

/// <summary>Where audit lines go. Safe for concurrent use.</summary>
internal interface IAuditSink : IDisposable
{
    /// <summary>Writes one line, whole or not at all.</summary>
    /// <param name="line">JSON without a line break.</param>
    /// <exception cref="IOException">It was not written.</exception>
    void Write(ReadOnlySpan<byte> line);

    /// <summary>Opens the destination anew, which may have been moved away.</summary>
    /// <exception cref="IOException">It cannot be opened; the next line tries again.</exception>
    void Reopen();
}
