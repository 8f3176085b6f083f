using BpfRemote.DemoMaps;
using BpfRemote.Libbpf;
using BpfRemote.Simulation;

namespace BpfRemote.Kernel.Tests;

/// <summary>A real map and a simulated one, made, written and read alike.</summary>
internal sealed class MapPair : IDisposable
{
    private static readonly int[] PageSizes = [1, 2, 3, 7, 50, 1000];

    private readonly IBpfMap _openReal;
    private readonly IBpfMap _openSimulated;

    private MapPair(WritableMap real, IBpfMap openReal, SimulatedMap simulated, IBpfMap openSimulated)
    {
        Real = real;
        Simulated = simulated;
        _openReal = openReal;
        _openSimulated = openSimulated;
    }

    public WritableMap Real { get; }

    public SimulatedMap Simulated { get; }

    /// <summary>Makes both maps, or skips the test where this machine cannot make one.</summary>
    public static MapPair Create(
        BpfMapType type, int keySize, int valueSize, int maxEntries, uint flags, WritableMap? inner = null)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to make maps");
        KernelMapSource kernel = KernelMapSource.Create();
        string[] release = kernel.Node.KernelRelease.Split('.', '-');
        SimulatedNode node = new()
        {
            KernelVersion = Version.Parse($"{release[0]}.{release[1]}"),
            PossibleCpuIds = kernel.Node.PossibleCpuIds,
        };
        SimulatedMapSource simulation = new(node, TimeProvider.System);
        SimulatedMap simulated = simulation.CreateMap(
            new(type, "fidelity", (uint)keySize, (uint)valueSize, (uint)maxEntries) { Flags = flags });
        WritableMap real = WritableMap.Create(new()
        {
            Type = type,
            Name = "fidelity",
            KeySize = (uint)keySize,
            ValueSize = (uint)valueSize,
            MaxEntries = (uint)maxEntries,
            Flags = flags,
            InnerMap = inner,
        });
        return new MapPair(real, kernel.OpenById(real.Id), simulated, simulation.OpenById(simulated.Id));
    }

    /// <summary>Writes and deletes at random, and compares every reading call after every few of them.</summary>
    public void CompareUnderRandomWrites(Func<Random, byte[]> nextKey, Func<Random, byte[]> nextCursor)
    {
        Random random = new(1);
        byte[] value = new byte[Real.ValueStride];
        for (int round = 0; round < 20; round++)
        {
            // Rounds that mostly write fill the map, and those that mostly delete empty it.
            int writesInTen = round % 4 == 3 ? 1 : 8;
            for (int write = 0; write < 50; write++)
            {
                byte[] key = nextKey(random);
                if (random.Next(10) < writesInTen)
                {
                    random.NextBytes(value);
                    Write(key, value);
                }
                else
                {
                    Delete(key);
                }
            }

            Compare(random, nextKey, nextCursor);
        }
    }

    public void Write(byte[] key, byte[] value)
    {
        Errno error = Errno.None;
        try
        {
            Real.Update(key, value);
        }
        catch (BpfException refused)
        {
            error = refused.Errno;
        }

        Assert.Equal(error, Simulated.Update(key, value));
    }

    public void Delete(byte[] key)
    {
        Errno error;
        try
        {
            error = Real.Delete(key) ? Errno.None : Errno.ENOENT;
        }
        catch (BpfException refused)
        {
            error = refused.Errno;
        }

        Assert.Equal(error, Simulated.Delete(key));
    }

    /// <summary>Compares pages from the start and from random cursors, lookups and steps from random keys.</summary>
    public void Compare(Random random, Func<Random, byte[]> nextKey, Func<Random, byte[]> nextCursor)
    {
        Assert.Equal(_openReal.Layout, _openSimulated.Layout);
        foreach (int count in PageSizes)
        {
            ComparePages(count, from: null);
            ComparePages(count, from: nextCursor(random));
        }

        CompareNextKey([]);
        for (int probe = 0; probe < 50; probe++)
        {
            byte[] key = nextKey(random);
            CompareNextKey(key);
            CompareLookup(key);
        }
    }

    public void CompareLookup(byte[] key)
    {
        byte[] real = new byte[Real.ValueStride];
        byte[] simulated = new byte[Real.ValueStride];

        Assert.Equal(_openReal.LookupElement(key, real), _openSimulated.LookupElement(key, simulated));
        Assert.Equal(WithoutPadding(real), WithoutPadding(simulated));
    }

    public void CompareNextKey(byte[] key)
    {
        byte[] real = new byte[_openReal.Info.KeySize];
        byte[] simulated = new byte[_openReal.Info.KeySize];

        Assert.Equal(_openReal.GetNextKey(key, real), _openSimulated.GetNextKey(key, simulated));
        Assert.Equal(real, simulated);
    }

    public void Dispose()
    {
        _openReal.Dispose();
        _openSimulated.Dispose();
        Real.Dispose();
    }

    /// <summary>Compares page after page, to the end or to an error that does not pass with a larger page.</summary>
    private void ComparePages(int count, byte[]? from)
    {
        uint keySize = _openReal.Info.KeySize;
        MapCursor realCursor = new(keySize);
        MapCursor simulatedCursor = new(keySize);
        if (from is not null)
        {
            realCursor.MoveTo(from);
            simulatedCursor.MoveTo(from);
        }

        BatchResult real;
        int ask = count;
        do
        {
            byte[] realKeys = new byte[ask * keySize];
            byte[] realValues = new byte[ask * Real.ValueStride];
            byte[] simulatedKeys = new byte[ask * keySize];
            byte[] simulatedValues = new byte[ask * Real.ValueStride];

            real = _openReal.LookupBatch(realCursor, realKeys, realValues, ask);
            BatchResult simulated = _openSimulated.LookupBatch(simulatedCursor, simulatedKeys, simulatedValues, ask);

            Assert.Equal(real, simulated);
            Assert.Equal(realCursor.HasPosition, simulatedCursor.HasPosition);
            Assert.Equal(realCursor.Bytes, simulatedCursor.Bytes);
            Assert.Equal(realKeys.AsSpan(0, (int)(real.Count * keySize)), simulatedKeys.AsSpan(0, (int)(real.Count * keySize)));
            Assert.Equal(
                WithoutPadding(realValues.AsSpan(0, real.Count * Real.ValueStride)),
                WithoutPadding(simulatedValues.AsSpan(0, real.Count * Real.ValueStride)));
            ask = real.Error == Errno.ENOSPC ? ask * 2 : count;
        }
        while (real.Error is Errno.None or Errno.ENOSPC);
    }

    /// <summary>Per-CPU values without the bytes that nobody wrote; others as they are.</summary>
    private byte[] WithoutPadding(ReadOnlySpan<byte> values)
    {
        if (_openReal.Layout.ValueKind != MapValueKind.PerCpu)
        {
            return values.ToArray();
        }

        List<byte> data = [];
        int block = (int)_openReal.Info.ValueSize;
        for (int start = 0; start < values.Length; start += (block + 7) / 8 * 8)
        {
            data.AddRange(values.Slice(start, block));
        }

        return [.. data];
    }
}
