using System.Diagnostics.CodeAnalysis;
using BpfRemote.V1;

namespace BpfRemote.Client;

/// <summary>Keys that are looked for among entries that go by.</summary>
internal sealed class WantedKeys
{
    private readonly int _keySize;

    // A key may be asked for more than once.
    private readonly Dictionary<byte[], List<int>>.AlternateLookup<ReadOnlySpan<byte>> _indexes;

    public WantedKeys(ReadOnlyMemory<byte> keys, int keySize)
    {
        _keySize = keySize;
        Dictionary<byte[], List<int>> indexes = new(new ByContents());
        _indexes = indexes.GetAlternateLookup<ReadOnlySpan<byte>>();
        Found = new bool[keys.Length / keySize];
        for (int i = 0; i < Found.Length; i++)
        {
            byte[] key = keys.Slice(i * keySize, keySize).ToArray();
            if (!indexes.TryGetValue(key, out List<int>? same))
            {
                indexes.Add(key, same = []);
            }

            same.Add(i);
        }

        Missing = Found.Length;
    }

    /// <summary>For each key, whether it went by.</summary>
    public bool[] Found { get; }

    /// <summary>How many have not yet.</summary>
    public int Missing { get; private set; }

    /// <summary>Takes the values of the keys that are among some entries.</summary>
    public void Fill(LookupBatchResponse entries, Span<byte> values, int stride)
    {
        for (int entry = 0; entry < entries.Count && Missing > 0; entry++)
        {
            if (!_indexes.TryGetValue(entries.Keys.Span.Slice(entry * _keySize, _keySize), out List<int>? wanted))
            {
                continue;
            }

            foreach (int i in wanted)
            {
                entries.Values.Span.Slice(entry * stride, stride).CopyTo(values[(i * stride)..]);
                Missing -= Found[i] ? 0 : 1;
                Found[i] = true;
            }
        }
    }

    private sealed class ByContents : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            HashCode hash = default;
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
