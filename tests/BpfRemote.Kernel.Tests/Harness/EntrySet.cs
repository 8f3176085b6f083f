namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>Entries of a map, in no order, each as often as it was seen: key and value of one entry are one row.</summary>
public sealed class EntrySet
{
    private readonly List<byte[]> _rows = [];

    public int Count => _rows.Count;

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => _rows.Add([.. key, .. value]);

    /// <summary>The first bytes of every row.</summary>
    public EntrySet KeysOnly(int keySize)
    {
        EntrySet keys = new();
        _rows.ForEach(row => keys.Add(row.AsSpan(0, keySize), []));
        return keys;
    }

    /// <summary>Fails with the first entry that one of the two has more often than the other.</summary>
    public static void AssertEqual(EntrySet expected, EntrySet actual, string what)
    {
        expected._rows.Sort(Compare);
        actual._rows.Sort(Compare);
        for (int i = 0; i < Math.Max(expected.Count, actual.Count); i++)
        {
            byte[]? wanted = expected._rows.ElementAtOrDefault(i);
            byte[]? got = actual._rows.ElementAtOrDefault(i);
            if (wanted is null || got is null || !wanted.AsSpan().SequenceEqual(got))
            {
                Assert.Fail($"{what}: {expected.Count} entries expected, {actual.Count} read; the first to differ, "
                    + $"in order of bytes: expected {Hex(wanted)}, read {Hex(got)}");
            }
        }
    }

    private static int Compare(byte[] left, byte[] right) => left.AsSpan().SequenceCompareTo(right);

    private static string Hex(byte[]? row) => row is null ? "none" : Convert.ToHexString(row.AsSpan(0, Math.Min(row.Length, 64)));
}
