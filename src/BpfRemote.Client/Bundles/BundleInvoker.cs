using BpfRemote.Agent.Errors;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Client;

/// <summary>Answers the calls of the protocol from a bundle.</summary>
internal sealed class BundleInvoker : CallInvoker
{
    // As the agent's.
    private const int BtfChunkSize = 65_536;
    private const uint VmlinuxBtfId = 1;

    private readonly Bundle _bundle;
    private readonly BundleQueries _queries;
    private readonly BundleEntries _entries;

    public BundleInvoker(Bundle bundle)
    {
        _bundle = bundle;
        _queries = new(bundle);
        _entries = new(bundle, _queries);
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => new(
            Task.Run(() => (TResponse)(object)Answer(method, request), options.CancellationToken),
            Task.FromResult(new Metadata()),
            static () => Status.DefaultSuccess,
            static () => [],
            static () => { });

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        IEnumerable<IMessage> sequence = request switch
        {
            LookupBatchRequest scan => _entries.Scan(scan),
            GetBtfRequest btf => ReadBtf(btf),
            _ => throw NotImplemented(method),
        };
        IEnumerator<IMessage> answers = sequence.GetEnumerator();
        return new(
            new Stream<TResponse>(answers),
            Task.FromResult(new Metadata()),
            static () => Status.DefaultSuccess,
            static () => [],
            answers.Dispose);
    }

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        (TResponse)(object)Answer(method, request);

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) => throw NotImplemented(method);

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) => throw NotImplemented(method);

    private IMessage Answer(IMethod method, object request) => request switch
    {
        GetNodeRequest => new GetNodeResponse { Node = _bundle.Node.Clone() },
        ListMapsRequest list => _queries.List(list),
        GetMapRequest get => _queries.Get(get),
        LookupElementsRequest lookup => _entries.Lookup(lookup),
        _ => throw NotImplemented(method),
    };

    private IEnumerable<GetBtfResponse> ReadBtf(GetBtfRequest request)
    {
        Map map = _queries.Find(request.Map);
        BundleMap contents = _bundle.ContentsOf(map);
        bool isKernels = request.Kind == BtfObjectKind.Vmlinux;
        if ((isKernels ? contents.VmlinuxBtf : contents.Btf) is not { } sha256)
        {
            throw ServiceError.Create(
                StatusCode.FailedPrecondition,
                ErrorReason.BtfNotAvailable,
                $"the bundle holds no such types: {contents.BtfError ?? contents.Reason ?? "the map refers to none"}");
        }

        using BundleFile file = BundleFile.Open(_bundle.Path, BundleLayout.Btf(sha256));
        GetBtfResponse chunk = new()
        {
            BtfId = isKernels ? VmlinuxBtfId : map.BtfId,
            TotalSize = (ulong)file.Length,
            BootId = _bundle.Node.BootId,
            Sha256 = ParseSha256(sha256),
        };
        for (long left = file.Length; left > 0; chunk = new())
        {
            byte[] data = new byte[Math.Min(left, BtfChunkSize)];
            chunk.Data = UnsafeByteOperations.UnsafeWrap(data.AsMemory(0, file.Read(data)));
            left -= data.Length;
            yield return chunk;
        }
    }

    private static ByteString ParseSha256(string text)
    {
        try
        {
            return UnsafeByteOperations.UnsafeWrap(Convert.FromHexString(text));
        }
        catch (FormatException error)
        {
            throw new BundleFormatException($"{BundleLayout.Manifest} of the bundle has '{text}' for a SHA-256.", error);
        }
    }

    private static RpcException NotImplemented(IMethod method) => ServiceError.Create(
        StatusCode.Unimplemented, ErrorReason.NotImplemented, $"a bundle does not answer {method.FullName}");

    private sealed class Stream<T>(IEnumerator<IMessage> answers) : IAsyncStreamReader<T>
    {
        public T Current => (T)answers.Current;

        // What is read is disk and compression: off the caller's thread.
        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.Run(answers.MoveNext, cancellationToken);
    }
}
