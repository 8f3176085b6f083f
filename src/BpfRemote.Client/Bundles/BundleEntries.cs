using BpfRemote.Agent.Errors;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Client;

/// <summary>Answers scans and lookups from a bundle. What it does not hold is an error, so that no part ever looks like the whole.</summary>
internal sealed class BundleEntries(Bundle bundle, BundleQueries queries)
{
    // As the agent's.
    private const int MaxBatchSize = 65_536;

    /// <summary>The responses to a scan.</summary>
    /// <exception cref="RpcException">MAP_NOT_READABLE at the end of what the bundle holds; TOKEN_INVALID.</exception>
    /// <exception cref="BundleFormatException">The entries are damaged.</exception>
    public IEnumerable<LookupBatchResponse> Scan(LookupBatchRequest request)
    {
        (Map map, ulong position) = Begin(request);
        BundleMap contents = bundle.ContentsOf(map);
        using BundleEntriesReader reader = Open(map, contents);
        ulong batchSize = request.BatchSize == 0 ? MaxBatchSize : Math.Min(request.BatchSize, MaxBatchSize);
        ulong end = request.Limit == 0 ? ulong.MaxValue : position + Math.Min(request.Limit, ulong.MaxValue - position);
        ScanCost cost = new();
        ulong seen = 0;
        bool isFirst = true;
        while (reader.Read() is { } message)
        {
            ulong start = seen;
            seen += message.Count;

            // One that is empty is an answer only where there is nothing else.
            for (bool isEmpty = contents.Entries == 0 && isFirst; position < seen || isEmpty; isEmpty = false)
            {
                ulong count = Math.Min(Math.Min(batchSize, seen - position), end - position);
                LookupBatchResponse response = Slice(message, reader.Layout!, (int)(position - start), (int)count, request.Include);
                position += count;
                cost.Entries += count;
                cost.Bytes += (ulong)response.Keys.Length + (ulong)response.Values.Length;
                bool isComplete = contents.Complete && position == contents.Entries;
                response.ContinuationToken = isComplete ? "" : $"{new BundleToken(bundle.Id, map.Id, position)}";
                response.Layout = isFirst ? reader.Layout : null;
                response.Cost = cost.Clone();
                isFirst = false;
                yield return response;
                if (isComplete || position == end)
                {
                    yield break;
                }
            }
        }

        throw NotHeld(map, contents, $"the bundle holds only the first {contents.Entries} entries of map {map.Id}");
    }

    /// <summary>The values of given keys, which are compared as they are: a trie's is not matched by prefix.</summary>
    /// <exception cref="RpcException">As the agent's; and MAP_NOT_READABLE where a key is not among those that the bundle holds.</exception>
    /// <exception cref="BundleFormatException">The entries are damaged.</exception>
    public LookupElementsResponse Lookup(LookupElementsRequest request)
    {
        Map map = queries.Find(request.Map);
        BundleMap contents = bundle.ContentsOf(map);
        int count = CountKeys(map, request.Keys.Length);
        using BundleEntriesReader reader = Open(map, contents);
        WantedKeys wanted = new(request.Keys.Memory, (int)map.KeySize);
        byte[] values = new byte[count * map.ValueStride];
        while (wanted.Missing > 0 && reader.Read() is { } message)
        {
            wanted.Fill(message, values, (int)map.ValueStride);
        }

        if (wanted.Missing > 0 && !contents.Complete)
        {
            throw NotHeld(
                map, contents, $"the bundle holds only the first {contents.Entries} entries of map {map.Id}, and the key is not among them");
        }

        Layout layout = reader.Layout?.Clone() ?? new();
        layout.Guarantee = Guarantee.Unspecified;
        return new()
        {
            Layout = layout,
            Found = { wanted.Found },
            Values = UnsafeByteOperations.UnsafeWrap(values),
            Cost = new() { Entries = (ulong)wanted.Found.Count(static found => found), Bytes = (ulong)values.Length },
        };
    }

    private (Map Map, ulong Position) Begin(LookupBatchRequest request)
    {
        if (request.ContinuationToken.Length == 0)
        {
            return (queries.Find(request.Map), 0);
        }

        // What a token of this bundle names is there.
        return BundleToken.TryParse(request.ContinuationToken) is { } token
            && token.BundleId == bundle.Id
            && bundle.MapsById.TryGetValue(token.MapId, out Map? map)
            && IsWithin(token, bundle.ContentsOf(map))
            && (request.Map is null || queries.Find(request.Map) == map)
                ? (map, token.Position)
                : throw ServiceError.Create(
                    StatusCode.InvalidArgument, ErrorReason.TokenInvalid, "the token is none of this map in this bundle; begin anew");
    }

    // Nothing continues after the end of a whole map; after that of a part, the error does that says so.
    private static bool IsWithin(BundleToken token, BundleMap contents) =>
        token.Position < contents.Entries || (!contents.Complete && token.Position == contents.Entries);

    private BundleEntriesReader Open(Map map, BundleMap contents) => contents.Complete || contents.Entries > 0
        ? new(bundle, map)
        : throw NotHeld(map, contents, $"the bundle holds no entries of map {map.Id}");

    private static int CountKeys(Map map, int bytes)
    {
        if (map.KeySize == 0)
        {
            throw ServiceError.Create(
                StatusCode.FailedPrecondition, ErrorReason.MapNotKeyed, "the map has no keys; page through it instead", ("type", map.TypeName));
        }

        if (map.ValueStride == 0)
        {
            throw ServiceError.Create(
                StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, "the kernel gave no values of this map", ("type", map.TypeName));
        }

        long count = bytes / map.KeySize;
        return bytes == 0 || bytes % map.KeySize != 0
            ? throw ServiceError.InvalidFields([new("keys", $"has {bytes} bytes; expected one key or more of {map.KeySize} bytes each")])
            : count <= map.MaxLookupKeys && count * map.ValueStride <= BundleLayout.MaxMessageBytes ? (int)count
            : throw ServiceError.Create(
                StatusCode.InvalidArgument,
                ErrorReason.TooManyKeys,
                "more keys than one lookup of this map may ask for",
                ("keys", $"{count}"),
                ("max_lookup_keys", $"{map.MaxLookupKeys}"));
    }

    private static LookupBatchResponse Slice(LookupBatchResponse message, Layout layout, int first, int count, Include include) => new()
    {
        Count = (uint)count,
        Keys = include == Include.CountOnly ? ByteString.Empty : Slice(message.Keys, first, count, layout.KeySize),
        Values = include is Include.CountOnly or Include.Keys ? ByteString.Empty : Slice(message.Values, first, count, layout.ValueStride),
    };

    private static ByteString Slice(ByteString packed, int first, int count, uint stride) =>
        UnsafeByteOperations.UnsafeWrap(packed.Memory.Slice(first * (int)stride, count * (int)stride));

    private static RpcException NotHeld(Map map, BundleMap contents, string what) => ServiceError.Create(
        StatusCode.FailedPrecondition,
        ErrorReason.MapNotReadable,
        contents.Reason is null ? what : $"{what}: {contents.Reason}",
        ("type", map.TypeName),
        ("entries", $"{contents.Entries}"));
}
