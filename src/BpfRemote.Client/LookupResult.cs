using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>The values of the keys that were looked up, in the order of the keys. Spans show the received buffers.</summary>
public sealed class LookupResult
{
    private readonly ReadOnlyMemory<byte> _keys;
    private readonly int _keysPerResponse;
    private readonly List<LookupElementsResponse> _responses;

    internal LookupResult(ReadOnlyMemory<byte> keys, int keysPerResponse, List<LookupElementsResponse> responses)
    {
        _keys = keys;
        _keysPerResponse = keysPerResponse;
        _responses = responses;
        Count = responses.Sum(response => response.Found.Count);
    }

    /// <summary>The number of keys that were looked up.</summary>
    public int Count { get; }

    /// <summary>The shape of keys and values.</summary>
    public Layout Layout => _responses[0].Layout;

    /// <summary>One of the keys: key_size bytes.</summary>
    /// <param name="index">From 0 to below <see cref="Count"/>.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such key.</exception>
    public ReadOnlySpan<byte> Key(int index)
    {
        CheckIndex(index);
        int size = (int)Layout.KeySize;
        return _keys.Span.Slice(index * size, size);
    }

    /// <summary>Whether a key was found; for an lpm_trie, whether any prefix matches it: the key itself may not exist.</summary>
    /// <param name="index">From 0 to below <see cref="Count"/>.</param>
    /// <returns>Whether it was.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such key.</exception>
    public bool IsFound(int index)
    {
        CheckIndex(index);
        return _responses[index / _keysPerResponse].Found[index % _keysPerResponse];
    }

    /// <summary>One key's value: value_stride bytes, zeros where it was not found.</summary>
    /// <param name="index">From 0 to below <see cref="Count"/>.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such key.</exception>
    public ReadOnlySpan<byte> Value(int index)
    {
        CheckIndex(index);
        int stride = (int)Layout.ValueStride;
        return _responses[index / _keysPerResponse].Values.Span.Slice(index % _keysPerResponse * stride, stride);
    }

    private void CheckIndex(int index) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
}
