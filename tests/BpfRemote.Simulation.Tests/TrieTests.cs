using BpfRemote.Libbpf;
using Xunit;
using static BpfRemote.Simulation.Tests.Maps;

namespace BpfRemote.Simulation.Tests;

public sealed class TrieTests
{
    private readonly SimulatedMapSource _kernel = Kernel();

    [Fact]
    public void ALongerPrefixComesBeforeTheOneThatCoversItAndBitsAscend()
    {
        // The example of the kernel's lpm_trie.c.
        using IBpfMap open = Routes("192.168.0.0/16", "192.168.128.0/24", "192.168.1.0/24", "192.168.0.0/24");

        string[] order = ["192.168.0.0/24", "192.168.1.0/24", "192.168.128.0/24", "192.168.0.0/16"];
        Assert.Equal(order.Select(HexKey), open.WalkKeys());
        Assert.Equal(order.Select(HexKey), KeysOf(open.ReadAll(1)));
        Assert.Equal(order.Select(HexKey), KeysOf(open.ReadAll(3)));
    }

    [Fact]
    public void TheOrderDoesNotDependOnTheOrderOfInsertion()
    {
        string[] prefixes = [.. Enumerable.Range(0, 300).Select(i => $"{i % 7}.{i % 11}.{i % 3}.{i % 256}/{i % 33}")];
        using IBpfMap forward = Routes(prefixes);
        using IBpfMap backward = Routes([.. prefixes.Reverse()]);

        Assert.Equal(forward.WalkKeys().Select(Canonical), backward.WalkKeys().Select(Canonical));
    }

    [Fact]
    public void TheCursorIsTheLastKey()
    {
        using IBpfMap open = Routes("10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8");
        MapCursor cursor = new(8);

        Assert.Equal(HexKey("10.1.0.0/16"), open.Read(cursor, 1).Cursor);
        Assert.Equal(HexKey("10.0.0.0/8"), open.Read(cursor, 1).Cursor);
        Page end = open.Read(cursor, 2);
        Assert.Equal((Errno.ENOENT, HexKey("11.0.0.0/8")), (end.Error, end.Cursor));
        Assert.Equal([HexKey("11.0.0.0/8")], end.Keys);
    }

    [Fact]
    public void ADeletedCursorRestartsAtTheLeftmostLeaf()
    {
        SimulatedMap map = Create("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16");
        using IBpfMap open = _kernel.OpenById(map.Id);
        MapCursor cursor = new(8);
        open.Read(cursor, 2);

        map.BetweenCalls = call => map.Delete(Key("10.2.0.0/16"));
        Page page = open.Read(cursor, 2);

        Assert.Equal([HexKey("10.1.0.0/16"), HexKey("10.3.0.0/16")], page.Keys);
    }

    [Fact]
    public void AnAdversaryThatReplacesTheCursorKeyMakesANaiveScanEndless()
    {
        SimulatedMap map = Create("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16");
        using IBpfMap open = _kernel.OpenById(map.Id);
        MapCursor cursor = new(8);
        int inserted = 0;
        map.BetweenCalls = call =>
        {
            if (cursor.HasPosition && map.Delete(cursor.Bytes) == Errno.None)
            {
                inserted++;
                map.Update([32, 0, 0, 0, 10, 0, (byte)(inserted >> 8), (byte)inserted], new byte[4]);
            }
        };

        for (int call = 0; call < 1000; call++)
        {
            Assert.Equal(Errno.None, open.Read(cursor, 1).Error);
        }

        Assert.Equal(3, open.WalkKeys().Count);
    }

    [Theory]
    [InlineData("10.1.2.3/32", "10.1.2.0/24")]
    [InlineData("10.1.9.9/32", "10.1.0.0/16")]
    [InlineData("10.9.9.9/32", "10.0.0.0/8")]
    [InlineData("10.1.2.0/24", "10.1.2.0/24")]
    [InlineData("10.1.2.0/23", "10.1.0.0/16")]
    [InlineData("9.255.255.255/32", null)]
    [InlineData("10.0.0.0/7", null)]
    public void ALookupGivesTheLongestPrefixThatCoversTheKey(string key, string? covering)
    {
        string[] prefixes = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.128/25", "11.0.0.0/8"];
        using IBpfMap open = Routes(prefixes);

        (Errno error, string value) = open.Find(Key(key));

        Assert.Equal(covering is null ? Errno.ENOENT : Errno.None, error);
        Assert.Equal(covering is null ? "" : Hex((uint)Array.IndexOf(prefixes, covering)), value);
    }

    [Fact]
    public void LookupsAgreeWithASearchOfAllPrefixes()
    {
        Random random = new(5);
        SimulatedMap map = _kernel.Create(BpfMapType.LpmTrie, 6, 4, 1000);
        Dictionary<(int Bits, int Network), uint> prefixes = [];
        for (uint i = 0; i < 500; i++)
        {
            (int bits, int network) = (random.Next(17), random.Next(1 << 16));
            prefixes[(bits, network & Mask(bits))] = i;
            Assert.Equal(Errno.None, map.Update(ShortKey(bits, network), U32(i)));
        }

        using IBpfMap open = _kernel.OpenById(map.Id);
        Assert.Equal(prefixes.Count, open.WalkKeys().Count);
        for (int probe = 0; probe < 2000; probe++)
        {
            (int bits, int network) = (random.Next(17), random.Next(1 << 16));
            string expected = Enumerable.Range(0, bits + 1).Reverse()
                .Where(length => prefixes.ContainsKey((length, network & Mask(length))))
                .Select(length => Hex(prefixes[(length, network & Mask(length))]))
                .FirstOrDefault("");
            Assert.Equal(expected, open.Find(ShortKey(bits, network)).Value);
        }

        static int Mask(int bits) => (0xffff << (16 - bits)) & 0xffff;
        static byte[] ShortKey(int bits, int network) => [(byte)bits, 0, 0, 0, (byte)(network >> 8), (byte)network];
    }

    [Fact]
    public void AnUpdateOfAPrefixReplacesItsValueAndTheBitsBeyondIt()
    {
        SimulatedMap map = _kernel.Create(BpfMapType.LpmTrie, 8, 4, 1);
        Assert.Equal(Errno.None, map.Update(Key("10.1.1.1/8"), U32(1)));
        Assert.Equal(Errno.None, map.Update(Key("10.9.9.9/8"), U32(2)));
        Assert.Equal(Errno.ENOSPC, map.Update(Key("10.9.9.9/9"), U32(3)));
        Assert.Equal(Errno.EINVAL, map.Update(Key("10.9.9.9/33"), U32(3)));
        using IBpfMap open = _kernel.OpenById(map.Id);

        Page page = open.Read(new MapCursor(8), 10);

        Assert.Equal([HexKey("10.9.9.9/8")], page.Keys);
        Assert.Equal([Hex(2)], page.Values);
    }

    [Fact]
    public void AKeyThatIsTooLongFindsNothingAndWalksFromTheStart()
    {
        using IBpfMap open = Routes("10.0.0.0/8");
        byte[] next = new byte[8];

        Assert.Equal(Errno.ENOENT, open.Find(Key("10.0.0.0/33")).Error);
        Assert.Equal(Errno.None, open.GetNextKey(Key("10.0.0.0/33"), next));
        Assert.Equal(Key("10.0.0.0/8"), next);
    }

    [Fact]
    public void AnEmptyTrieEndsAtOnceAndLeavesTheCursorAtTheStart()
    {
        using IBpfMap open = Routes();
        Page page = open.Read(new MapCursor(8), 10);
        Assert.Equal((Errno.ENOENT, 0, null), (page.Error, page.Keys.Count, page.Cursor));
    }

    private IBpfMap Routes(params string[] prefixes) => _kernel.OpenById(Create(prefixes).Id);

    /// <summary>A trie that gives each prefix its position as value.</summary>
    private SimulatedMap Create(params string[] prefixes)
    {
        SimulatedMap map = _kernel.Create(BpfMapType.LpmTrie, 8, 4, 1000);
        foreach ((int position, string prefix) in prefixes.Index())
        {
            Assert.Equal(Errno.None, map.Update(Key(prefix), U32((uint)position)));
        }

        return map;
    }

    private static byte[] Key(string prefix)
    {
        string[] parts = prefix.Split('.', '/');
        return [.. U32(uint.Parse(parts[4], null)), .. parts[..4].Select(part => byte.Parse(part, null))];
    }

    private static string HexKey(string prefix) => Convert.ToHexString(Key(prefix));

    /// <summary>A key without the bits beyond its prefix.</summary>
    private static (uint Bits, uint Network) Canonical(string hexKey)
    {
        byte[] key = Convert.FromHexString(hexKey);
        uint network = ((uint)key[4] << 24) | ((uint)key[5] << 16) | ((uint)key[6] << 8) | key[7];
        return (key[0], key[0] == 0 ? 0 : network >> (32 - key[0]));
    }
}
