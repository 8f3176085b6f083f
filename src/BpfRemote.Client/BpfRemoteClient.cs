using System.Runtime.CompilerServices;
using BpfRemote.Btf;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace BpfRemote.Client;

/// <summary>A client of one node's agent. Safe to use from several threads; its connections are shared.</summary>
/// <remarks>
/// Every call throws <see cref="BpfRemoteException"/>, or a type derived from it, where the agent refuses or fails it, and
/// <see cref="OperationCanceledException"/> where its caller cancels it. Only scans are tried again by themselves.
/// </remarks>
public sealed class BpfRemoteClient : IDisposable
{
    private readonly BpfRemoteClientOptions _options;
    private readonly BpfRemoteClientOptions? _agent;
    private readonly GrpcChannel? _channel;
    private readonly CallInvoker _invoker;
    private readonly MapService.MapServiceClient _maps;
    private readonly NodeService.NodeServiceClient _nodes;
    private readonly BtfCache _btf;

    /// <summary>A client over a channel of the caller's, who keeps and disposes it.</summary>
    /// <param name="invoker">The channel's call invoker.</param>
    /// <param name="options">For how scans are tried again; the address is not used.</param>
    public BpfRemoteClient(CallInvoker invoker, BpfRemoteClientOptions? options = null)
    {
        _options = options ?? new();
        _invoker = invoker;
        _maps = new(invoker);
        _nodes = new(invoker);
        _btf = new(_options.BtfCacheDirectory);
    }

    private BpfRemoteClient(GrpcChannel channel, BpfRemoteClientOptions options)
        : this(channel.CreateCallInvoker(), options)
    {
        _channel = channel;
        _agent = options;
    }

    /// <summary>
    /// A client of the agent at an address, or of a <see cref="Bundle"/>. The connection is made by the first call; a bundle is opened
    /// here.
    /// </summary>
    /// <param name="options">Where the agent is.</param>
    /// <returns>The client.</returns>
    /// <exception cref="ArgumentException">
    /// The address is none an agent can have, or the options say who the caller is in a way that it does not allow; the message says
    /// what was expected.
    /// </exception>
    /// <exception cref="BundleFormatException">The file is no bundle; calls throw this too where they find it damaged.</exception>
    /// <exception cref="IOException">The bundle cannot be read.</exception>
    public static BpfRemoteClient Connect(BpfRemoteClientOptions options)
    {
        options.CheckIdentity();
        return options.Address.StartsWith(BpfRemoteClientOptions.BundleScheme, StringComparison.Ordinal)
            && options.Address[BpfRemoteClientOptions.BundleScheme.Length..] is { Length: > 0 } path
                ? new(new BundleInvoker(Bundle.Open(path)), options)
                : new(AgentChannel.Open(options), options);
    }

    /// <summary>The node, its agent, the caller as the agent sees it, and the limits in force.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The node.</returns>
    /// <exception cref="AgentUnreachableException">No agent answers.</exception>
    public async Task<Node> GetNodeAsync(CancellationToken cancellationToken = default)
    {
        AsyncUnaryCall<GetNodeResponse> call = _nodes.GetNodeAsync(new(), cancellationToken: cancellationToken);
        GetNodeResponse response = await FinishAsync(call, cancellationToken).ConfigureAwait(false);
        return response.Node ?? throw new InvalidResponseException("GetNode answered without a node");
    }

    /// <summary>The maps of the node that the caller may see, by id; asks for page after page as it is enumerated.</summary>
    /// <param name="filter">Which maps and how much of each, and the size of a page; <see langword="null"/> for all maps.</param>
    /// <param name="cancellationToken">Cancels the listing.</param>
    /// <returns>The maps.</returns>
    public async IAsyncEnumerable<Map> ListMapsAsync(
        ListMapsRequest? filter = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ListMapsRequest request = filter?.Clone() ?? new();
        do
        {
            AsyncUnaryCall<ListMapsResponse> call = _maps.ListMapsAsync(request, cancellationToken: cancellationToken);
            ListMapsResponse page = await FinishAsync(call, cancellationToken).ConfigureAwait(false);
            foreach (Map map in page.Maps)
            {
                yield return map;
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }

    /// <summary>One map.</summary>
    /// <param name="map">Which map; see <see cref="MapSelectors"/>.</param>
    /// <param name="view"><see cref="MapView.Full"/> adds pinned paths, programs and owners, and costs more.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The map.</returns>
    /// <exception cref="MapNotFoundException">There is no such map, or the caller may not list it.</exception>
    public async Task<Map> GetMapAsync(
        MapSelector map, MapView view = MapView.Basic, CancellationToken cancellationToken = default)
    {
        GetMapRequest request = new() { Map = map, View = view };
        AsyncUnaryCall<GetMapResponse> call = _maps.GetMapAsync(request, cancellationToken: cancellationToken);
        GetMapResponse response = await FinishAsync(call, cancellationToken).ConfigureAwait(false);
        return response.Map ?? throw new InvalidResponseException("GetMap answered without a map");
    }

    /// <summary>The values of given keys, in as many calls as their number asks for.</summary>
    /// <param name="map">Which map; see <see cref="MapSelectors"/>.</param>
    /// <param name="keys">The keys, packed, at least one. Not to be changed while the result is in use.</param>
    /// <param name="cancellationToken">Cancels the lookup.</param>
    /// <returns>The values.</returns>
    /// <exception cref="ArgumentException">The keys are not a multiple of key_size bytes, or there is none.</exception>
    /// <exception cref="MapNotFoundException">There is no such map, or the caller may not list it.</exception>
    /// <exception cref="PermissionDeniedException">The caller may not read the map.</exception>
    public async Task<LookupResult> LookupAsync(
        MapSelector map, ReadOnlyMemory<byte> keys, CancellationToken cancellationToken = default)
    {
        Map described = await GetMapAsync(map, cancellationToken: cancellationToken).ConfigureAwait(false);

        // The id, lest a name or a pin leads to another map from one call to the next.
        MapSelector selector = MapSelectors.ById(described.Id);
        int keySize = (int)described.KeySize;
        if (described.MaxLookupKeys == 0 || keySize == 0)
        {
            // Nothing can be looked up here, and the agent's refusal says why.
            await LookupOnceAsync(selector, keys, cancellationToken).ConfigureAwait(false);
            throw new InvalidResponseException("LookupElements answered for a map that has nothing to look up");
        }

        if (keys.IsEmpty || keys.Length % keySize != 0)
        {
            throw new ArgumentException(
                $"{keys.Length} bytes are not one or more keys of the map's {keySize} bytes.", nameof(keys));
        }

        int count = keys.Length / keySize;
        int chunk = (int)Math.Min(described.MaxLookupKeys, (uint)count);
        List<LookupElementsResponse> responses = new((count + chunk - 1) / chunk);
        for (int first = 0; first < count; first += chunk)
        {
            int size = Math.Min(chunk, count - first);
            LookupElementsResponse response = await LookupOnceAsync(
                selector, keys.Slice(first * keySize, size * keySize), cancellationToken).ConfigureAwait(false);
            if (response.Layout?.KeySize != described.KeySize
                || response.Layout.ValueStride != described.ValueStride
                || response.Found.Count != size
                || response.Values.Length != size * described.ValueStride)
            {
                throw new InvalidResponseException($"LookupElements answered with another shape than {size} keys of this map have");
            }

            responses.Add(response);
        }

        return new(keys, chunk, responses);
    }

    /// <summary>A scan of a map; see <see cref="Guarantee"/> for what it promises while the map changes.</summary>
    /// <param name="map">
    /// Which map; see <see cref="MapSelectors"/>. May be <see langword="null"/> with
    /// <see cref="ScanOptions.ContinuationToken"/>.
    /// </param>
    /// <param name="options">How to scan; <see langword="null"/> for everything, gently.</param>
    /// <returns>The scan, which begins when it is enumerated.</returns>
    /// <exception cref="ArgumentException">There is neither a map nor a token.</exception>
    public MapScan Scan(MapSelector? map, ScanOptions? options = null)
    {
        options ??= new();
        return map is null && string.IsNullOrEmpty(options.ContinuationToken)
            ? throw new ArgumentException("A scan needs a map, or a token to continue from.", nameof(map))
            : new(_invoker, _options, _agent, map, options);
    }

    /// <summary>The types that a map refers to, raw. What this client has had before, from any map, is not sent again.</summary>
    /// <param name="map">Which map; see <see cref="MapSelectors"/>.</param>
    /// <param name="kind">The object of the map itself, or the kernel's.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The object.</returns>
    /// <exception cref="MapNotFoundException">There is no such map, or the caller may not list it.</exception>
    /// <exception cref="BpfRemoteException">With <see cref="ErrorReason.BtfNotAvailable"/>: there is no such object.</exception>
    public async Task<BtfObject> GetBtfAsync(
        MapSelector map, BtfObjectKind kind = BtfObjectKind.Map, CancellationToken cancellationToken = default)
    {
        GetBtfRequest request = new() { Map = map, Kind = kind };
        using AsyncServerStreamingCall<GetBtfResponse> call = _maps.GetBtf(request, cancellationToken: cancellationToken);
        try
        {
            return await new BtfDownload(call.ResponseStream, _btf).ReceiveAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException error)
        {
            throw Failed(error, cancellationToken);
        }
    }

    /// <summary>What the keys and values of a map are, by its BTF; the kernel's is fetched only where the map refers to it.</summary>
    /// <param name="map">The map, as <see cref="GetMapAsync"/> and <see cref="ListMapsAsync"/> describe it.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The schema; <see langword="null"/> where the map refers to no types.</returns>
    /// <exception cref="BtfFormatException">The types cannot be used; the message says why.</exception>
    /// <exception cref="MapNotFoundException">The map is gone, or the caller may no longer list it.</exception>
    public async Task<MapSchema?> GetSchemaAsync(Map map, CancellationToken cancellationToken = default)
    {
        (BtfObjectKind kind, uint valueTypeId) = map.BtfVmlinuxValueTypeId != 0
            ? (BtfObjectKind.Vmlinux, map.BtfVmlinuxValueTypeId)
            : (BtfObjectKind.Map, map.BtfValueTypeId);
        if (valueTypeId == 0)
        {
            return null;
        }

        BtfObject btf = await GetBtfAsync(MapSelectors.ById(map.Id), kind, cancellationToken).ConfigureAwait(false);
        return MapSchema.Create(map, btf.Types, map.BtfKeyTypeId, valueTypeId);
    }

    /// <summary>Ends the connections that <see cref="Connect"/> made, and every call over them.</summary>
    public void Dispose() => _channel?.Dispose();

    private Task<LookupElementsResponse> LookupOnceAsync(
        MapSelector map, ReadOnlyMemory<byte> keys, CancellationToken cancellationToken)
    {
        LookupElementsRequest request = new() { Map = map, Keys = UnsafeByteOperations.UnsafeWrap(keys) };
        return FinishAsync(_maps.LookupElementsAsync(request, cancellationToken: cancellationToken), cancellationToken);
    }

    private async Task<T> FinishAsync<T>(AsyncUnaryCall<T> call, CancellationToken cancellationToken)
    {
        using (call)
        {
            try
            {
                return await call.ConfigureAwait(false);
            }
            catch (RpcException error)
            {
                throw Failed(error, cancellationToken);
            }
        }
    }

    private Exception Failed(RpcException error, CancellationToken cancellationToken) => cancellationToken.IsCancellationRequested
        ? new OperationCanceledException(error.Message, error, cancellationToken)
        : new RpcFailure(error).ToException(_agent);
}
