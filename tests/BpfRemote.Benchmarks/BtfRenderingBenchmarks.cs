using System.Buffers;
using BenchmarkDotNet.Attributes;
using BpfRemote.Btf;
using BpfRemote.Btf.Tests;

namespace BpfRemote.Benchmarks;

/// <summary>The <c>formatted</c> object of a connection: 6 fields in a key of 16 bytes, 4 in a value of 32.</summary>
public class BtfRenderingBenchmarks
{
    private const int Entries = 1_000;
    private const int KeySize = 16;
    private const int ValueSize = 32;

    private readonly byte[] _keys = new byte[Entries * KeySize];
    private readonly byte[] _values = new byte[Entries * ValueSize];
    private readonly ArrayBufferWriter<byte> _output = new(1 << 20);
    private readonly BtfJsonEntryFormat _format;

    /// <summary>Makes the types and fills the entries.</summary>
    public BtfRenderingBenchmarks()
    {
        Random.Shared.NextBytes(_keys);
        Random.Shared.NextBytes(_values);
        BtfWriter btf = new();
        uint u8 = btf.Int("unsigned char", 1), u16 = btf.Int("unsigned short", 2);
        uint u32 = btf.Int("unsigned int", 4), u64 = btf.Int("unsigned long long", 8);
        uint pad = btf.Array(u8, 3, u32);
        uint key = btf.Struct(
            "conn", KeySize, ("saddr", u32, 0), ("daddr", u32, 32), ("sport", u16, 64), ("dport", u16, 80), ("proto", u8, 96), ("pad", pad, 104));
        uint value = btf.Struct(
            "stats", ValueSize, ("packets", u64, 0), ("bytes", u64, 64), ("last_seen_ns", u64, 128), ("errors", u64, 192));
        BtfTypes types = btf.Parse();
        _format = BtfJsonEntryFormat.Single(types.Layout(key), types.Layout(value));
    }

    /// <summary>Entries to JSON.</summary>
    [Benchmark(OperationsPerInvoke = Entries)]
    public int Render()
    {
        _output.ResetWrittenCount();
        for (int i = 0; i < Entries; i++)
        {
            _format.Write(_output, _keys.AsSpan(i * KeySize, KeySize), _values.AsSpan(i * ValueSize, ValueSize));
        }

        return _output.WrittenCount;
    }
}
