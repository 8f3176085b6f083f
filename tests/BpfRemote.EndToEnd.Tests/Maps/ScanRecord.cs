using System.Collections;
using BpfRemote.Client;

namespace BpfRemote.EndToEnd.Maps;

/// <summary>What a scan of a <see cref="KnownMap"/> has returned: every entry must belong, and none may come twice.</summary>
internal sealed class ScanRecord(KnownMap map)
{
    private readonly BitArray _seen = new(map.Count);

    /// <summary>Entries so far.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a batch.</summary>
    public void Add(MapBatch batch)
    {
        foreach (MapEntry entry in batch)
        {
            uint number = map.NumberOf(entry.Key);
            Assert.True(number < map.Count, $"key {Convert.ToHexString(entry.Key)} was never put in");
            Assert.False(_seen[(int)number], $"key {Convert.ToHexString(entry.Key)} came twice");
            Assert.True(map.IsValueOf((int)number, entry.Value), $"key {Convert.ToHexString(entry.Key)} has another value");
            _seen[(int)number] = true;
            Count++;
        }
    }

    /// <summary>Asserts that nothing is missing.</summary>
    public void AssertComplete() => Assert.Equal(map.Count, Count);
}
