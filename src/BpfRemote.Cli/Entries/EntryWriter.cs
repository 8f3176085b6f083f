using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>
/// Writes the entries of one map after the other in one format. The calls are, for each map, <see cref="BeginMap"/>,
/// <see cref="WriteEntries"/> for each response and <see cref="EndMap"/>; at the very end <see cref="Close"/>. Where the dump fails in
/// between, <see cref="Fail"/> ends everything.
/// </summary>
internal abstract class EntryWriter(OutputBuffer output)
{
    protected OutputBuffer Output { get; } = output;

    /// <summary>Begins a map.</summary>
    /// <param name="map">The map.</param>
    /// <param name="layout">The shape of the entries that follow.</param>
    /// <param name="schema">What they are; null where that is not known.</param>
    public abstract void BeginMap(Map map, Layout layout, MapSchema? schema);

    /// <summary>Writes the entries of a response.</summary>
    public virtual void WriteEntries(MapBatch batch)
    {
        foreach (MapEntry entry in batch)
        {
            WriteEntry(entry.Key, entry.Value);
        }
    }

    /// <summary>Writes an entry.</summary>
    /// <param name="key"><c>key_size</c> bytes.</param>
    /// <param name="value"><c>value_stride</c> bytes; none where the layout has a <c>value_error</c>.</param>
    public abstract void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// <summary>Writes what is held back for a better view of it: a response has ended, and the next may take long.</summary>
    public virtual void Flush()
    {
    }

    /// <summary>Ends the map.</summary>
    /// <param name="complete">Whether the scan reached the end of the map.</param>
    public virtual void EndMap(bool complete)
    {
    }

    /// <summary>Ends the output.</summary>
    public virtual void Close()
    {
    }

    /// <summary>Ends the output as far as it got, whatever is still open.</summary>
    /// <param name="message">What failed.</param>
    /// <returns>Whether the format carries the message itself; else it is for standard error.</returns>
    public virtual bool Fail(string message) => false;
}
