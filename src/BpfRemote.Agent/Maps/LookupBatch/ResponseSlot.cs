using System.Threading.Channels;
using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps.LookupBatch.Scans;
using BpfRemote.Agent.Tokens;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>One of the responses that take turns: while one is written, the next are filled. Reused over the whole call.</summary>
/// <param name="layout">The map's.</param>
/// <param name="include">What of each entry to send.</param>
/// <param name="account">What the buffer is charged to.</param>
/// <param name="free">Where the slot rests until it is filled.</param>
internal sealed class ResponseSlot(MapLayout layout, Include include, BufferAccount account, ChannelWriter<ResponseSlot> free) : IDisposable
{
    private readonly byte[] _position = new byte[ScanTicket.MaxPosition];
    private readonly LookupBatchResponse _response = new()
    {
        Cost = new V1.ScanCost { KernelTime = new Duration(), PaceWaitTime = new Duration(), LongestCall = new Duration() },
    };
    private int _positionLength;

    /// <summary>Where entries are read to.</summary>
    public EntryBuffer Buffer { get; } = new(layout.KeySize, layout.ValueStride, include, account);

    /// <summary>What ends with the response.</summary>
    public ScanEnd End { get; private set; }

    /// <summary>What reading the response took.</summary>
    public ReadCost Cost { get; private set; }

    /// <summary>Restarts of the scan by then.</summary>
    public uint Restarts { get; private set; }

    /// <summary>Where the scan stands after the response.</summary>
    public ReadOnlyMemory<byte> Position => _position.AsMemory(0, _positionLength);

    /// <summary>Notes how the scan stands now that the buffer is filled, for it goes on before the response is written.</summary>
    public void Fill(ScanEnd end, ReadCost cost, MapScan scan)
    {
        End = end;
        Cost = cost;
        Restarts = scan.Restarts;
        _positionLength = scan.WritePosition(_position);
    }

    /// <summary>The response over the buffer's entries: not copied, so the slot must rest until the response is written.</summary>
    /// <param name="total">What the call has cost with this response.</param>
    /// <param name="totalBytes">Bytes of keys and values of the call with this response.</param>
    /// <param name="token">Where to continue.</param>
    /// <param name="shape">The layout; on the first response only.</param>
    public LookupBatchResponse Respond(ReadCost total, ulong totalBytes, string token, Layout? shape)
    {
        _response.Count = (uint)Buffer.Count;
        _response.Keys = UnsafeByteOperations.UnsafeWrap(Buffer.Keys);
        _response.Values = UnsafeByteOperations.UnsafeWrap(Buffer.Values);
        _response.ContinuationToken = token;
        _response.Layout = shape;
        V1.ScanCost cost = _response.Cost;
        cost.Entries = total.Entries;
        cost.NativeCalls = total.NativeCalls;
        Set(cost.KernelTime, total.KernelTime);
        Set(cost.PaceWaitTime, total.PaceWaitTime);
        Set(cost.LongestCall, total.LongestCall);
        cost.Retries = total.Retries;
        cost.Restarts = Restarts;
        cost.Bytes = totalBytes;
        return _response;
    }

    /// <summary>Lets the slot be filled again.</summary>
    public void Release()
    {
        Buffer.Clear();
        free.TryWrite(this); // it has room for all
    }

    public void Dispose() => Buffer.Dispose();

    private static void Set(Duration duration, TimeSpan time)
    {
        duration.Seconds = time.Ticks / TimeSpan.TicksPerSecond;
        duration.Nanos = (int)(time.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick);
    }
}
