using BpfRemote.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace BpfRemote.Client.Tests;

/// <summary>Serves maps of keys and values of one byte, whose entry i has the key i and the value i + 100, five in a response.</summary>
internal sealed class FakeMaps : MapService.MapServiceBase
{
    private const int PerResponse = 5;

    /// <summary>The maps, each with the number of its entries.</summary>
    public Dictionary<uint, (Map Map, int Entries)> Maps { get; } = [];

    /// <summary>Raw BTF that every map which refers to some refers to.</summary>
    public byte[] Btf { get; set; } = [];

    /// <summary>After how many entries the scan of a map fails with READ_DENIED.</summary>
    public Dictionary<uint, int> Refused { get; } = [];

    /// <summary>Is told of every scan before it begins.</summary>
    public Action<LookupBatchRequest>? OnScan { get; set; }

    public Map Add(uint id, string name, int entries, params string[] pins)
    {
        Map map = new()
        {
            Id = id,
            Name = name,
            Type = MapType.Hash,
            TypeName = "hash",
            KeySize = 1,
            ValueSize = 1,
            ValueStride = 1,
            MaxEntries = 200,
            MaxLookupKeys = 100,
            PinnedPaths = { pins },
            Owners = { new OwnerProcess { Pid = 1, Comm = "init" } },
            OwnersComplete = true,
        };
        Maps.Add(id, (map, entries));
        return map;
    }

    public override Task<ListMapsResponse> ListMaps(ListMapsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListMapsResponse { Maps = { Maps.Values.Select(static entry => entry.Map) } });

    public override Task<GetMapResponse> GetMap(GetMapRequest request, ServerCallContext context) =>
        Task.FromResult(new GetMapResponse { Map = Maps[request.Map.Id].Map });

    public override async Task LookupBatch(
        LookupBatchRequest request, IServerStreamWriter<LookupBatchResponse> responseStream, ServerCallContext context)
    {
        OnScan?.Invoke(request);
        (Map map, int entries) = Maps[request.Map.Id];
        int end = request.Limit == 0 ? entries : (int)Math.Min((ulong)entries, request.Limit);
        for (int position = 0; position == 0 || position < end; position += PerResponse)
        {
            if (Refused.TryGetValue(map.Id, out int after) && position >= after)
            {
                throw Refusal();
            }

            int count = Math.Min(PerResponse, end - position);
            await responseStream.WriteAsync(
                new()
                {
                    Count = (uint)count,
                    Keys = ByteString.CopyFrom([.. Enumerable.Range(position, count).Select(static i => (byte)i)]),
                    Values = ByteString.CopyFrom([.. Enumerable.Range(position, count).Select(static i => (byte)(i + 100))]),
                    ContinuationToken = position + count == entries ? "" : "more",
                    Layout = position > 0 ? null : new() { MapId = map.Id, KeySize = 1, ValueSize = 1, ValueStride = 1, ValueKind = ValueKind.Raw },
                    Cost = new() { Entries = (ulong)(position + count) },
                },
                context.CancellationToken);
        }
    }

    public override Task GetBtf(GetBtfRequest request, IServerStreamWriter<GetBtfResponse> responseStream, ServerCallContext context) =>
        responseStream.WriteAsync(
            new()
            {
                TotalSize = (ulong)Btf.Length,
                Sha256 = ByteString.CopyFrom(System.Security.Cryptography.SHA256.HashData(Btf)),
                Data = ByteString.CopyFrom(Btf),
            },
            context.CancellationToken);

    private static RpcException Refusal() => new Google.Rpc.Status
    {
        Code = (int)StatusCode.PermissionDenied,
        Message = "not yours",
        Details = { Any.Pack(new ErrorInfo { Domain = "bpfremote", Reason = "READ_DENIED" }) },
    }.ToRpcException();
}
