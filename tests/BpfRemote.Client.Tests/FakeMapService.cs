using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Client.Tests;

/// <summary>
/// Serves one map whose entry i has the key i (4 bytes) and the value i × i (8 bytes), both little endian. A token is the number of
/// the entry it continues at, in decimal.
/// </summary>
internal sealed class FakeMapService(int entries) : MapService.MapServiceBase
{
    public const int KeySize = 4;
    public const int ValueSize = 8;

    private readonly ConcurrentQueue<CallScript> _scripts = new();
    private readonly ConcurrentQueue<LookupBatchRequest> _scans = new();
    private readonly ConcurrentQueue<LookupElementsRequest> _lookups = new();
    private readonly Channel<bool> _acknowledged = Channel.CreateUnbounded<bool>();

    public Map Map { get; } = new()
    {
        Id = 7,
        Name = "squares",
        KeySize = KeySize,
        ValueSize = ValueSize,
        ValueStride = ValueSize,
        MaxLookupKeys = 3,
    };

    /// <summary>What ends unary calls instead of an answer.</summary>
    public Func<ServerCallContext, Task>? Refusal { get; set; }

    /// <summary>What GetBtf sends.</summary>
    public Func<GetBtfRequest, IAsyncEnumerable<GetBtfResponse>> Btf { get; set; } = static _ => AsyncEnumerable.Empty<GetBtfResponse>();

    /// <summary>The scans that were asked for, in order.</summary>
    public LookupBatchRequest[] Scans => [.. _scans];

    /// <summary>The lookups that were asked for, in order.</summary>
    public LookupElementsRequest[] Lookups => [.. _lookups];

    /// <summary>Tokens and limits of <see cref="Scans"/>, as `token/limit`.</summary>
    public string[] Continuations => [.. Scans.Select(scan => $"{scan.ContinuationToken}/{scan.Limit}")];

    /// <summary>The next call that has no script yet goes by this one; calls beyond all scripts are served to their end.</summary>
    public void Script(CallScript script) => _scripts.Enqueue(script);

    /// <summary>The next call ends in some way after some responses, each of which must be acknowledged before it goes on.</summary>
    public void EndAfter(int responses, Func<ServerCallContext, Task> end) => Script(new(responses, end));

    /// <summary>The client has one more response.</summary>
    public void Acknowledge() => _acknowledged.Writer.TryWrite(true);

    public override async Task<ListMapsResponse> ListMaps(ListMapsRequest request, ServerCallContext context)
    {
        await RefuseAsync(context);
        int page = request.PageToken.Length == 0 ? 0 : int.Parse(request.PageToken, CultureInfo.InvariantCulture);

        // The page in the middle is empty, which does not end the listing.
        ListMapsResponse response = new() { NextPageToken = page < 2 ? $"{page + 1}" : "" };
        if (page != 1)
        {
            response.Maps.Add([new Map { Id = (uint)page * 2, Name = request.NameGlob }, new Map { Id = ((uint)page * 2) + 1 }]);
        }

        return response;
    }

    public override async Task<GetMapResponse> GetMap(GetMapRequest request, ServerCallContext context)
    {
        await RefuseAsync(context);
        return new() { Map = Map };
    }

    public override async Task<LookupElementsResponse> LookupElements(LookupElementsRequest request, ServerCallContext context)
    {
        _lookups.Enqueue(request);
        await RefuseAsync(context);
        LookupElementsResponse response = new() { Layout = Layout };
        byte[] values = new byte[request.Keys.Length / KeySize * ValueSize];
        for (int i = 0; i * KeySize < request.Keys.Length; i++)
        {
            int key = BinaryPrimitives.ReadInt32LittleEndian(request.Keys.Span[(i * KeySize)..]);
            response.Found.Add(key < entries);
            WriteValue(values.AsSpan(i * ValueSize), key < entries ? key : 0);
        }

        response.Values = ByteString.CopyFrom(values);
        return response;
    }

    public override async Task LookupBatch(
        LookupBatchRequest request, IServerStreamWriter<LookupBatchResponse> responseStream, ServerCallContext context)
    {
        _scans.Enqueue(request);
        CallScript script = _scripts.TryDequeue(out CallScript? next) ? next : CallScript.Serve;
        int begin = request.ContinuationToken.Length == 0 ? 0 : int.Parse(request.ContinuationToken, CultureInfo.InvariantCulture);
        int position = begin;
        int end = request.Limit == 0 ? entries : (int)Math.Min((ulong)begin + request.Limit, (ulong)entries);
        for (int sent = 0; sent != script.Responses; sent++)
        {
            LookupBatchResponse response = Respond(request, position, end);
            response.Layout = sent == 0 ? Layout : null;
            response.Cost = new() { Entries = (ulong)(position - begin) + response.Count, NativeCalls = (ulong)sent + 1, Restarts = 1 };
            script.Alter?.Invoke(response);
            await responseStream.WriteAsync(response, context.CancellationToken);
            position += (int)response.Count;
            if (script.IsLockstep)
            {
                await _acknowledged.Reader.ReadAsync(context.CancellationToken);
            }

            if (position == end)
            {
                break;
            }
        }

        await script.End(context);
    }

    public override async Task GetBtf(
        GetBtfRequest request, IServerStreamWriter<GetBtfResponse> responseStream, ServerCallContext context)
    {
        await RefuseAsync(context);
        await foreach (GetBtfResponse chunk in Btf(request))
        {
            await responseStream.WriteAsync(chunk, context.CancellationToken);
        }
    }

    private static Layout Layout => new()
    {
        MapId = 7,
        MapName = "squares",
        KeySize = KeySize,
        ValueSize = ValueSize,
        ValueStride = ValueSize,
        ReadMethod = ReadMethod.Batch,
        Guarantee = Guarantee.ExactlyOnce,
    };

    private LookupBatchResponse Respond(LookupBatchRequest request, int position, int end)
    {
        int count = Math.Min(request.BatchSize == 0 ? 10 : (int)request.BatchSize, end - position);
        byte[] keys = new byte[count * KeySize];
        byte[] values = new byte[count * ValueSize];
        for (int i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(keys.AsSpan(i * KeySize), position + i);
            WriteValue(values.AsSpan(i * ValueSize), position + i);
        }

        bool wantsKeys = request.Include != Include.CountOnly;
        bool wantsValues = request.Include is Include.Unspecified or Include.KeysAndValues;
        return new()
        {
            Count = (uint)count,
            Keys = wantsKeys ? ByteString.CopyFrom(keys) : ByteString.Empty,
            Values = wantsValues ? ByteString.CopyFrom(values) : ByteString.Empty,
            ContinuationToken = position + count == entries ? "" : $"{position + count}",
        };
    }

    private static void WriteValue(Span<byte> value, int entry) =>
        BinaryPrimitives.WriteInt64LittleEndian(value, (long)entry * entry);

    private Task RefuseAsync(ServerCallContext context) => Refusal?.Invoke(context) ?? Task.CompletedTask;
}

/// <summary>How one call goes.</summary>
/// <param name="Responses">The most responses before the end; below 0, all there are.</param>
/// <param name="End">How it ends.</param>
/// <param name="Alter">What is changed in each response.</param>
/// <param name="IsLockstep">
/// Whether each response waits for its acknowledgement. A reset takes responses with it that the client has not read, so only then
/// is it certain what the client has when the call ends.
/// </param>
internal sealed record CallScript(
    int Responses, Func<ServerCallContext, Task> End, Action<LookupBatchResponse>? Alter = null, bool IsLockstep = true)
{
    public static CallScript Serve { get; } = new(-1, Ending.Ok, IsLockstep: false);
}
