using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps.LookupBatch.Scans;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>One of the responses that take turns: while one is written, the next is filled. Reused over the whole call.</summary>
internal sealed class ResponseSlot(MapLayout layout, Include include, BufferAccount account) : IDisposable
{
    private readonly LookupBatchResponse _response = new()
    {
        Cost = new V1.ScanCost { KernelTime = new Duration(), PaceWaitTime = new Duration(), LongestCall = new Duration() },
    };

    /// <summary>Where entries are read to.</summary>
    public EntryBuffer Buffer { get; } = new(layout.KeySize, layout.ValueStride, include, account);

    /// <summary>The response over the buffer's entries: not copied, so the buffer must rest until the response is written.</summary>
    public LookupBatchResponse Respond(ScanReader reader, MapScan scan, string token, Layout? shape, ulong bytesBefore)
    {
        _response.Count = (uint)Buffer.Count;
        _response.Keys = UnsafeByteOperations.UnsafeWrap(Buffer.Keys);
        _response.Values = UnsafeByteOperations.UnsafeWrap(Buffer.Values);
        _response.ContinuationToken = token;
        _response.Layout = shape;
        V1.ScanCost cost = _response.Cost;
        cost.Entries = reader.Entries;
        cost.NativeCalls = scan.NativeCalls;
        Set(cost.KernelTime, reader.KernelTime);
        Set(cost.PaceWaitTime, reader.PaceWaitTime);
        Set(cost.LongestCall, reader.LongestCall);
        cost.Retries = scan.Retries;
        cost.Restarts = scan.Restarts;
        cost.Bytes = bytesBefore + (ulong)(Buffer.Keys.Length + Buffer.Values.Length);
        return _response;
    }

    public void Dispose() => Buffer.Dispose();

    private static void Set(Duration duration, TimeSpan time)
    {
        duration.Seconds = time.Ticks / TimeSpan.TicksPerSecond;
        duration.Nanos = (int)(time.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick);
    }
}
