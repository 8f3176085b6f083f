using BpfRemote.Client;

namespace BpfRemote.Cli.Diffs;

/// <summary>Writes the entries that differ in one format.</summary>
internal abstract class DiffWriter
{
    /// <summary>Begins the output.</summary>
    /// <param name="schema">What the entries are; null where that is not known.</param>
    public abstract void Begin(MapSchema? schema);

    /// <summary>Writes an entry.</summary>
    /// <param name="kind">How it differs.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="key">Its key.</param>
    /// <param name="old">Its old value; none where it is added.</param>
    /// <param name="now">Its new value; none where it is removed.</param>
    public abstract void Write(DiffKind kind, EntryShape shape, ReadOnlySpan<byte> key, ReadOnlySpan<byte> old, ReadOnlySpan<byte> now);

    /// <summary>Ends the output.</summary>
    public virtual void End()
    {
    }

    /// <summary>Ends the output as far as it got.</summary>
    /// <param name="message">What failed.</param>
    /// <returns>Whether the format carries the message itself; else it is for standard error.</returns>
    public virtual bool Fail(string message) => false;
}
