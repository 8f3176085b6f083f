using BpfRemote.Btf;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli;

/// <summary>Finds what the entries of maps are.</summary>
internal sealed class SchemaSource
{
    private readonly Func<Map, MapSelector?, CancellationToken, Task<MapSchema?>> _find;

    private SchemaSource(Func<Map, MapSelector?, CancellationToken, Task<MapSchema?>> find) => _find = find;

    /// <summary>Nothing is known.</summary>
    public static SchemaSource None { get; } = new(static (_, _, _) => Task.FromResult<MapSchema?>(null));

    /// <summary>The user says.</summary>
    public static SchemaSource Given(Func<Map, MapSchema> find) =>
        new((map, _, _) => Task.FromResult<MapSchema?>(find(map)));

    /// <summary>The map itself says, or else a directory.</summary>
    public static SchemaSource Own(Session session, SchemaDirectory? directory) => new(async (map, selector, cancellationToken) =>
        await OwnOfAsync(session, map, cancellationToken)
            ?? directory?.Find(map, selector?.SelectorCase == MapSelector.SelectorOneofCase.PinnedPath ? selector.PinnedPath : null));

    /// <summary>What the entries of a map are; null where that is not known.</summary>
    /// <param name="map">The map.</param>
    /// <param name="selector">What it was selected by; null where it was not.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="SchemaException">The user says what cannot be.</exception>
    public Task<MapSchema?> FindAsync(Map map, MapSelector? selector, CancellationToken cancellationToken) =>
        _find(map, selector, cancellationToken);

    private static async Task<MapSchema?> OwnOfAsync(Session session, Map map, CancellationToken cancellationToken)
    {
        try
        {
            return await session.Client.GetSchemaAsync(map, cancellationToken);
        }
        catch (BtfFormatException error)
        {
            session.Terminal.Say($"The types of map {map.Id} cannot be used: {error.Message} Its entries are shown as bytes.");
        }
        catch (BpfRemoteException error) when (error.Reason == ErrorReason.BtfNotAvailable)
        {
            session.Terminal.Say($"The types of map {map.Id} are not to be had: {error.Message}. Its entries are shown as bytes.");
        }

        return null;
    }
}
