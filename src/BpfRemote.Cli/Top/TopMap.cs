using BpfRemote.Cli.Entries;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Top;

/// <summary>A map whose entries are compared.</summary>
internal sealed class TopMap
{
    private readonly CombinedValue? _combined;

    /// <param name="map">The map.</param>
    /// <param name="layout">The shape of its entries.</param>
    /// <param name="schema">What they are; null where that is not known.</param>
    /// <param name="options">What they are compared by.</param>
    /// <exception cref="CommandException">They have nothing to compare.</exception>
    public TopMap(Map map, Layout layout, MapSchema? schema, TopOptions options)
    {
        if (layout.ValueError.Length > 0)
        {
            throw new CommandException(
                ExitCode.Failed, $"the kernel gives no values of map {map.Id} ({layout.ValueError}): there is nothing to compare");
        }

        Map = map;
        Schema = schema;
        _combined = CombinedValue.Of(layout, schema, options.PerCpu);
        Layout = _combined?.Layout ?? layout;
        Field = SortField.Of(Layout, schema, options.Field);
    }

    public Map Map { get; }

    /// <summary>The shape of entries with one value for all CPUs.</summary>
    public Layout Layout { get; }

    public MapSchema? Schema { get; }

    public SortField Field { get; }

    /// <summary>The one value of an entry; until the next is asked for, where it is made of several.</summary>
    public ReadOnlySpan<byte> OneValue(ReadOnlySpan<byte> value) => _combined is null ? value : _combined.Combine(value);
}
