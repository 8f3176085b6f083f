using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>
/// The entries of one response. Memory and spans show the received buffers: they are valid as long as they are referenced and are
/// never reused, so a batch may be kept.
/// </summary>
public sealed class MapBatch
{
    private readonly LookupBatchResponse _response;
    private readonly int _keyStride;
    private readonly int _valueStride;

    internal MapBatch(LookupBatchResponse response, Layout layout)
    {
        _response = response;
        Layout = layout;
        _keyStride = response.Keys.IsEmpty ? 0 : (int)layout.KeySize;
        _valueStride = response.Values.IsEmpty ? 0 : (int)layout.ValueStride;
    }

    /// <summary>The number of entries; may be 0.</summary>
    public int Count => (int)_response.Count;

    /// <summary>The shape of keys and values, and the node's clocks when the call that brought this batch began.</summary>
    public Layout Layout { get; }

    /// <summary>The keys, packed: <see cref="Count"/> × key_size bytes; empty where they were not asked for.</summary>
    public ReadOnlyMemory<byte> Keys => _response.Keys.Memory;

    /// <summary>The values, packed: <see cref="Count"/> × value_stride bytes; empty where they were not asked for.</summary>
    public ReadOnlyMemory<byte> Values => _response.Values.Memory;

    /// <summary>Continues after this batch, now or within a day; empty on the batch that completes the scan.</summary>
    public string ContinuationToken => _response.ContinuationToken;

    /// <summary>Whether this batch completes the scan.</summary>
    public bool IsComplete => ContinuationToken.Length == 0;

    /// <summary>What the scan took on the node so far, over all the calls it was resumed in.</summary>
    public ScanCost Cost => _response.Cost;

    /// <summary>One key: key_size bytes, or none where keys were not asked for.</summary>
    /// <param name="index">From 0 to below <see cref="Count"/>.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    public ReadOnlySpan<byte> Key(int index) => Slice(_response.Keys.Span, index, _keyStride);

    /// <summary>One value: value_stride bytes, or none where values were not asked for or the kernel refuses them.</summary>
    /// <param name="index">From 0 to below <see cref="Count"/>.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    public ReadOnlySpan<byte> Value(int index) => Slice(_response.Values.Span, index, _valueStride);

    /// <summary>Enumerates the entries without allocating.</summary>
    /// <returns>The enumerator.</returns>
    public Enumerator GetEnumerator() => new(this);

    private ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> packed, int index, int stride)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, _response.Count, nameof(index));
        return packed.Slice(index * stride, stride);
    }

    /// <summary>Enumerates the entries of a batch.</summary>
    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<byte> _keys;
        private readonly ReadOnlySpan<byte> _values;
        private readonly int _keyStride;
        private readonly int _valueStride;
        private readonly int _count;
        private readonly Layout _layout;
        private int _index = -1;

        internal Enumerator(MapBatch batch)
        {
            _keys = batch.Keys.Span;
            _values = batch.Values.Span;
            _keyStride = batch._keyStride;
            _valueStride = batch._valueStride;
            _count = batch.Count;
            _layout = batch.Layout;
        }

        /// <summary>The entry the enumerator stands on.</summary>
        public readonly MapEntry Current =>
            new(_keys.Slice(_index * _keyStride, _keyStride), _values.Slice(_index * _valueStride, _valueStride), _layout);

        /// <summary>Goes to the next entry.</summary>
        /// <returns>Whether there is one.</returns>
        public bool MoveNext() => ++_index < _count;
    }
}
