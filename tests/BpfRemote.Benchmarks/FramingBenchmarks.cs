using System.Buffers;
using BenchmarkDotNet.Attributes;
using BpfRemote.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace BpfRemote.Benchmarks;

/// <summary>A response of 64 KiB of (16, 32) entries: written over the agent's buffers, and read into the client's.</summary>
public class FramingBenchmarks
{
    private const int Entries = 65_536 / (16 + 32);

    private readonly byte[] _keys = new byte[Entries * 16];
    private readonly byte[] _values = new byte[Entries * 32];
    private readonly ArrayBufferWriter<byte> _output = new(80_000);
    private readonly byte[] _message;

    /// <summary>Writes the message that is read.</summary>
    public FramingBenchmarks()
    {
        Random.Shared.NextBytes(_keys);
        Random.Shared.NextBytes(_values);
        _message = Respond().ToByteArray();
    }

    /// <summary>Entries to bytes on the wire.</summary>
    [Benchmark]
    public int Write()
    {
        _output.ResetWrittenCount();
        Respond().WriteTo(_output);
        return _output.WrittenCount;
    }

    /// <summary>Bytes on the wire to entries.</summary>
    [Benchmark]
    public LookupBatchResponse Read() => LookupBatchResponse.Parser.ParseFrom(new ReadOnlySequence<byte>(_message));

    private LookupBatchResponse Respond() => new()
    {
        Count = Entries,
        Keys = UnsafeByteOperations.UnsafeWrap(_keys),
        Values = UnsafeByteOperations.UnsafeWrap(_values),
        ContinuationToken = new string('A', 130),
        Cost = new() { Entries = Entries, NativeCalls = 6, KernelTime = new Duration { Nanos = 400_000 }, PaceWaitTime = new Duration() },
    };
}
