using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps.LookupBatch;
using BpfRemote.Agent.Maps.LookupBatch.Scans;
using BpfRemote.Libbpf;
using BpfRemote.V1;

namespace BpfRemote.Benchmarks;

/// <summary>What keeps a scan of an lpm_trie exactly-once: each key of a page of 256 routes is compared with the furthest so far.</summary>
public class TrieFilterBenchmarks
{
    private const int Page = 256;
    private const int Pages = 400;

    private readonly byte[] _keys = new byte[Page * Pages * Routes.KeySize];

    /// <summary>Makes the routes.</summary>
    public TrieFilterBenchmarks()
    {
        for (int i = 0; i < Page * Pages; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_keys.AsSpan(i * Routes.KeySize), 32);
            BinaryPrimitives.WriteUInt32BigEndian(_keys.AsSpan((i * Routes.KeySize) + 4), (uint)i * 40_503);
        }
    }

    /// <summary>A whole scan, without a kernel.</summary>
    [Benchmark(OperationsPerInvoke = Page * Pages)]
    public int Filter()
    {
        using Routes routes = new(_keys);
        using EntryBuffer buffer = new(Routes.KeySize, Routes.ValueSize, Include.KeysAndValues, new BufferBudget(new AgentLimits()).OpenScan("benchmark"));
        MapScan scan = MapScan.Start(routes);
        int entries = 0;
        for (ScanStep step = ScanStep.Advanced; step != ScanStep.Completed;)
        {
            buffer.Clear();
            step = scan.Step(routes, buffer, new Room(Page, Page, Page));
            entries += buffer.Count;
        }

        return entries;
    }

    /// <summary>Routes in the kernel's order, page after page.</summary>
    private sealed class Routes(byte[] packed) : IBpfMap
    {
        public const int KeySize = 8;
        public const int ValueSize = 8;

        private int _page;

        public MapInfo Info { get; } = new()
        {
            Id = 1,
            Type = BpfMapType.LpmTrie,
            KeySize = KeySize,
            ValueSize = ValueSize,
            MaxEntries = Page * Pages,
        };

        public MapLayout Layout => field ??= MapLayout.Of(Info, possibleCpus: 1, supportsBatch: true);

        public BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count)
        {
            packed.AsSpan(_page * Page * KeySize, count * KeySize).CopyTo(keys);
            _page++;
            return new(count, _page == Pages ? Errno.ENOENT : Errno.None);
        }

        public Errno LookupElement(ReadOnlySpan<byte> key, Span<byte> value) => throw new NotSupportedException();

        public Errno GetNextKey(ReadOnlySpan<byte> key, Span<byte> nextKey) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
