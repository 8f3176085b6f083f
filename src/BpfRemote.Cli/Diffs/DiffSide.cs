using BpfRemote.Client;

namespace BpfRemote.Cli.Diffs;

/// <summary>Takes an entry: its key, and its value without padding.</summary>
internal delegate void EntryHandler(EntryShape shape, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

/// <summary>One of the two states of a map that are compared.</summary>
internal abstract class DiffSide
{
    /// <summary>What the entries are; null where that is not known.</summary>
    public abstract Task<MapSchema?> FindSchemaAsync(CancellationToken cancellationToken);

    /// <summary>Reads all entries.</summary>
    /// <exception cref="CommandException">They cannot be read to the end.</exception>
    /// <exception cref="BpfRemoteException">They cannot be read to the end.</exception>
    public abstract Task ReadAsync(EntryHandler handle, CancellationToken cancellationToken);
}
