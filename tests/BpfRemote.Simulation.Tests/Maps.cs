using BpfRemote.Libbpf;
using Xunit;

namespace BpfRemote.Simulation.Tests;

/// <summary>One native batch call as a reader sees it.</summary>
/// <param name="Error">What it returned.</param>
/// <param name="Keys">The keys that count, in hex.</param>
/// <param name="Values">Their values, in hex.</param>
/// <param name="Cursor">The cursor after the call, in hex; null where it stands at the start.</param>
internal sealed record Page(Errno Error, IReadOnlyList<string> Keys, IReadOnlyList<string> Values, string? Cursor);

/// <summary>Writes and reads in the words of the tests.</summary>
internal static class Maps
{
    public static SimulatedMapSource Kernel(SimulatedNode? node = null) => new(node ?? new SimulatedNode(), TimeProvider.System);

    public static SimulatedMap Create(
        this SimulatedMapSource kernel, BpfMapType type, uint keySize, uint valueSize, uint maxEntries, uint flags = 0) =>
        kernel.CreateMap(new SimulatedMapSpec(type, "m", keySize, valueSize, maxEntries) { Flags = flags });

    public static byte[] U32(uint number) => BitConverter.GetBytes(number);

    public static string Hex(uint number) => Convert.ToHexString(U32(number));

    /// <summary>Sets number → 8 bytes of the same number.</summary>
    public static void Put(this SimulatedMap map, uint key, ulong value) =>
        Assert.Equal(Errno.None, map.Update(U32(key), BitConverter.GetBytes(value).AsSpan(0, (int)map.Info.ValueSize)));

    public static Page Read(this IBpfMap map, MapCursor cursor, int count)
    {
        int keySize = (int)map.Info.KeySize;
        int stride = (int)map.Layout.ValueStride;
        byte[] keys = new byte[keySize * count];
        byte[] values = new byte[stride * count];
        (int entries, Errno error) = map.LookupBatch(cursor, keys, values, count);
        return new Page(
            error,
            [.. Enumerable.Range(0, entries).Select(i => Convert.ToHexString(keys, i * keySize, keySize))],
            [.. Enumerable.Range(0, entries).Select(i => Convert.ToHexString(values, i * stride, stride))],
            cursor.HasPosition ? Convert.ToHexString(cursor.Bytes) : null);
    }

    /// <summary>Reads pages to the end, asking for more where a bucket is larger; any other error fails the test.</summary>
    public static List<Page> ReadAll(this IBpfMap map, int count)
    {
        MapCursor cursor = new(map.Info.KeySize);
        List<Page> pages = [];
        for (int ask = count; pages.Count < 1_000_000;)
        {
            Page page = map.Read(cursor, ask);
            Assert.Contains(page.Error, new[] { Errno.None, Errno.ENOENT, Errno.ENOSPC });
            pages.Add(page);
            if (page.Error == Errno.ENOENT)
            {
                return pages;
            }

            ask = page.Error == Errno.ENOSPC ? ask * 2 : count;
        }

        throw new InvalidOperationException("a scan that does not end");
    }

    public static List<string> KeysOf(IEnumerable<Page> pages) => [.. pages.SelectMany(page => page.Keys)];

    /// <summary>The walk by key, from the first to ENOENT.</summary>
    public static List<string> WalkKeys(this IBpfMap map)
    {
        byte[] key = new byte[map.Info.KeySize];
        List<string> keys = [];
        for (Errno error = map.GetNextKey([], key); error != Errno.ENOENT; error = map.GetNextKey(key, key))
        {
            Assert.Equal(Errno.None, error);
            keys.Add(Convert.ToHexString(key));
        }

        return keys;
    }

    public static (Errno Error, string Value) Find(this IBpfMap map, ReadOnlySpan<byte> key)
    {
        byte[] value = new byte[Math.Max(map.Layout.ValueStride, map.Info.ValueSize)];
        Errno error = map.LookupElement(key, value);
        return (error, error == Errno.None ? Convert.ToHexString(value) : "");
    }
}
