using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>One entry of a <see cref="MapBatch"/>; its spans show the batch's buffers.</summary>
public readonly ref struct MapEntry
{
    private readonly Layout _layout;

    internal MapEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Layout layout)
    {
        Key = key;
        Value = value;
        _layout = layout;
    }

    /// <summary>The key: key_size bytes.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>The value: value_stride bytes; for a per-CPU map, the blocks of all possible CPUs.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>One CPU's value, without the padding between blocks.</summary>
    /// <param name="block">The index into <see cref="Layout.PossibleCpuIds"/>, which tells the CPU's id.</param>
    /// <returns>value_size bytes.</returns>
    /// <exception cref="InvalidOperationException">The map is not per-CPU, or values were not asked for.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are not that many possible CPUs.</exception>
    public ReadOnlySpan<byte> ValueOfCpu(int block)
    {
        if (_layout.ValueKind != ValueKind.PerCpu || Value.IsEmpty)
        {
            throw new InvalidOperationException("The entry has no values per CPU.");
        }

        int cpus = _layout.PossibleCpuIds.Count;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block, (uint)cpus, nameof(block));
        return Value.Slice(block * (Value.Length / cpus), (int)_layout.ValueSize);
    }
}
