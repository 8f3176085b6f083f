using BpfRemote.DemoMaps;
using BpfRemote.Libbpf;
using BpfRemote.Simulation;

namespace BpfRemote.Kernel.Tests;

/// <summary>The simulated kernel answers every call as the real one: the same writes to a map of each, then the same reads,
/// compared byte by byte. Hash types are made with a zero seed, so that even their buckets are the same.</summary>
public sealed class SimulationFidelityTests
{
    [Theory]
    [InlineData(BpfMapType.Hash, 1, 5, 100)]
    [InlineData(BpfMapType.Hash, 3, 1, 64)]
    [InlineData(BpfMapType.Hash, 4, 8, 128)]
    [InlineData(BpfMapType.Hash, 12, 64, 33)]
    [InlineData(BpfMapType.Hash, 13, 8, 200)]
    [InlineData(BpfMapType.Hash, 64, 4, 1)]
    [InlineData(BpfMapType.Hash, 512, 16, 100)]
    [InlineData(BpfMapType.PerCpuHash, 4, 5, 100)]
    public void HashesHaveTheSameBucketsPagesCursorsAndErrors(BpfMapType type, int keySize, int valueSize, int maxEntries)
    {
        uint flags = SimulatedMapSpec.ZeroSeed;
        using MapPair pair = MapPair.Create(type, keySize, valueSize, maxEntries, flags);
        pair.CompareUnderRandomWrites(
            random => Key(random, keySize, maxEntries * 3 / 2),
            random => BitConverter.GetBytes(random.Next(maxEntries * 3)));
    }

    [Fact]
    public void AnLruHashThatIsNotFullIsReadAlike()
    {
        using MapPair pair = MapPair.Create(BpfMapType.LruHash, 4, 8, 2048, SimulatedMapSpec.ZeroSeed);
        pair.CompareUnderRandomWrites(random => Key(random, 4, 100), random => BitConverter.GetBytes(random.Next(3000)));
    }

    [Theory]
    [InlineData(BpfMapType.Array, 5, 1)]
    [InlineData(BpfMapType.Array, 8, 100)]
    [InlineData(BpfMapType.PerCpuArray, 3, 17)]
    public void ArraysHaveTheSamePagesCursorsAndErrors(BpfMapType type, int valueSize, int maxEntries)
    {
        using MapPair pair = MapPair.Create(type, 4, valueSize, maxEntries, flags: 0);
        pair.CompareUnderRandomWrites(
            random => BitConverter.GetBytes(random.Next(maxEntries + 2)),
            random => BitConverter.GetBytes(random.Next(maxEntries + 5)));
    }

    [Theory]
    [InlineData(5, 20)]
    [InlineData(8, 200)]
    [InlineData(20, 100)]
    [InlineData(260, 50)]
    public void TriesHaveTheSameOrderPagesCursorsLookupsAndErrors(int keySize, int maxEntries)
    {
        using MapPair pair = MapPair.Create(BpfMapType.LpmTrie, keySize, 4, maxEntries, MapFlags.BPF_F_NO_PREALLOC);
        pair.CompareUnderRandomWrites(
            random => Prefix(random, keySize), random => Prefix(random, keySize));
    }

    [Fact]
    public void AnArrayOfMapsHasTheSameHoles()
    {
        using WritableMap inner = WritableMap.Create(
            new() { Type = BpfMapType.Array, KeySize = 4, ValueSize = 4, MaxEntries = 1 });
        using MapPair pair = MapPair.Create(BpfMapType.ArrayOfMaps, 4, 4, 12, flags: 0, inner);
        Random random = new(1);
        for (int round = 0; round < 100; round++)
        {
            byte[] index = BitConverter.GetBytes(random.Next(12));
            if (random.Next(2) == 0)
            {
                pair.Real.Update(index, inner.Handle);
                Assert.Equal(Errno.None, pair.Simulated.Update(index, BitConverter.GetBytes(inner.Id)));
            }
            else
            {
                pair.Delete(index);
            }

            pair.Compare(random, r => BitConverter.GetBytes(r.Next(14)), r => BitConverter.GetBytes(r.Next(16)));
        }
    }

    [Theory]
    [InlineData(BpfMapType.Queue)]
    [InlineData(BpfMapType.Stack)]
    public void QueuesAndStacksShowTheSameValue(BpfMapType type)
    {
        using MapPair pair = MapPair.Create(type, 0, 8, 3, flags: 0);
        byte[] value = new byte[8];
        for (byte pushed = 1; pushed <= 4; pushed++)
        {
            value[0] = pushed;
            pair.Write([], value);
            pair.CompareLookup([]);
            pair.CompareNextKey([]);
        }
    }

    [Theory]
    [InlineData(BpfMapType.PerfEventArray, 4, 4, 3)]
    [InlineData(BpfMapType.CgroupArray, 4, 4, 3)]
    [InlineData(BpfMapType.XskMap, 4, 4, 3)]
    [InlineData(BpfMapType.ProgArray, 4, 4, 3)]
    [InlineData(BpfMapType.DevMap, 4, 8, 3)]
    [InlineData(BpfMapType.DevMapHash, 4, 4, 3)]
    [InlineData(BpfMapType.CpuMap, 4, 4, 1)]
    [InlineData(BpfMapType.SockMap, 4, 4, 3)]
    [InlineData(BpfMapType.SockMap, 4, 8, 3)]
    [InlineData(BpfMapType.SockHash, 4, 4, 3)]
    [InlineData(BpfMapType.ReuseportSockArray, 4, 8, 3)]
    [InlineData(BpfMapType.StackTrace, 4, 80, 3)]
    [InlineData(BpfMapType.CgroupStorage, 16, 8, 0)]
    public void EmptyMapsOfOtherTypesRefuseAlike(BpfMapType type, int keySize, int valueSize, int maxEntries)
    {
        using MapPair pair = MapPair.Create(type, keySize, valueSize, maxEntries, flags: 0);
        pair.Compare(
            new Random(1),
            random => [.. BitConverter.GetBytes(random.Next(5)).Concat(new byte[16]).Take(keySize)],
            random => [.. BitConverter.GetBytes(random.Next(5)).Concat(new byte[16]).Take(Math.Max(4, keySize))]);
    }

    /// <summary>One of <paramref name="kinds"/> keys, told apart by their first two bytes and spread over all.</summary>
    private static byte[] Key(Random random, int keySize, int kinds)
    {
        int kind = random.Next(kinds);
        byte[] key = new byte[keySize];
        for (int position = 0; position < keySize; position++)
        {
            key[position] = (byte)(kind >> (position % 2 * 8));
        }

        return key;
    }

    /// <summary>A prefix, at times one that is too long, of bits that seldom differ, so that prefixes cover each other.</summary>
    private static byte[] Prefix(Random random, int keySize)
    {
        byte[] key = new byte[keySize];
        BitConverter.TryWriteBytes(key, random.Next((keySize - 4) * 8 + 2));
        for (int position = 4; position < keySize; position++)
        {
            key[position] = (byte)(random.Next(3) == 0 ? 1 << random.Next(8) : 0);
        }

        return key;
    }
}
