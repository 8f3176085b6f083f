using BpfRemote.Agent.Access;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.LookupElements;

/// <summary>Serves LookupElements: the values of given keys.</summary>
internal sealed class LookupElementsHandler(IMapSource source, MapResolver maps, KernelTimeQuota quota, TimeProvider time)
{
    /// <summary>Answers one call.</summary>
    public async Task<LookupElementsResponse> HandleAsync(LookupElementsRequest request, ServerCallContext context)
    {
        List<FieldViolation> violations = [];
        MapResolver.Validate(request.Map, violations);
        if (violations.Count > 0)
        {
            // Only together with another: of a map without keys, none is what can be asked.
            if (request.Keys.IsEmpty)
            {
                violations.Add(new("keys", "is empty; expected at least one key"));
            }

            throw ServiceError.InvalidFields(violations);
        }

        // Before the map is opened: none is held by who only waits.
        CallAccess access = CallAccess.Of(context);
        string principal = access.Caller.Principal;
        TimeSpan waited = await quota.WaitAsync(principal, TimeSpan.MaxValue, context.CancellationToken);
        using IBpfMap map = maps.Open(request.Map, access);
        access.DemandRead(map.Info, MapResolver.PinOf(request.Map), atFullPace: false);
        int count = CountKeys(map, request.Keys.Length);
        LookupElementsResponse response = Lookup(map, request.Keys.Span, count);
        response.Cost.PaceWaitTime = Duration.FromTimeSpan(waited);
        TimeSpan kernelTime = response.Cost.KernelTime.ToTimeSpan();
        quota.Spend(principal, kernelTime);
        access.Record.Entries = response.Cost.Entries;
        access.Record.Bytes = response.Cost.Bytes;
        access.Record.KernelTime = kernelTime;
        return response;
    }

    private static int CountKeys(IBpfMap map, int bytes)
    {
        MapLayout layout = map.Layout;
        if (layout.Method == ScanMethod.Peek)
        {
            throw ServiceError.Create(
                StatusCode.FailedPrecondition,
                ErrorReason.MapNotKeyed,
                "the map has no keys; page through it instead",
                ("type", BpfTypeNames.OfMap(map.Info.Type)));
        }

        Readability.Of(layout).Demand(map.Info, layout);
        if (layout.ValueStride == 0)
        {
            throw ServiceError.Create(
                StatusCode.FailedPrecondition,
                ErrorReason.MapNotReadable,
                "the kernel refuses to give values of this map",
                ("type", BpfTypeNames.OfMap(map.Info.Type)),
                ("errno", layout.ValueError.Name()));
        }

        if (bytes == 0 || bytes % layout.KeySize != 0)
        {
            throw ServiceError.InvalidFields(
                [new("keys", $"has {bytes} bytes; expected one key or more of {layout.KeySize} bytes each")]);
        }

        long count = bytes / layout.KeySize;
        uint most = Readability.MaxLookupKeys(layout);
        return count <= most
            ? (int)count
            : throw ServiceError.Create(
                StatusCode.InvalidArgument,
                ErrorReason.TooManyKeys,
                "more keys than one lookup of this map may ask for",
                ("keys", $"{count}"),
                ("max_lookup_keys", $"{most}"));
    }

    private LookupElementsResponse Lookup(IBpfMap map, ReadOnlySpan<byte> keys, int count)
    {
        int keySize = (int)map.Layout.KeySize;
        int stride = (int)map.Layout.ValueStride;
        byte[] values = new byte[count * stride];
        LookupElementsResponse response = new() { Layout = MapDescription.LayoutOf(map, source) };
        response.Layout.Guarantee = Guarantee.Unspecified;
        TimeSpan longest = TimeSpan.Zero;
        TimeSpan start = source.ReadThreadTime();
        long last = time.GetTimestamp();
        ulong found = 0;
        for (int i = 0; i < count; i++)
        {
            Errno error = map.LookupElement(keys.Slice(i * keySize, keySize), values.AsSpan(i * stride, stride));
            long now = time.GetTimestamp();
            TimeSpan call = time.GetElapsedTime(last, now);
            longest = call > longest ? call : longest;
            last = now;
            if (error is not (Errno.None or Errno.ENOENT))
            {
                throw new BpfException("bpf_map_lookup_elem", error, $"map {map.Info.Id}");
            }

            response.Found.Add(error == Errno.None);
            found += error == Errno.None ? 1UL : 0;
        }

        TimeSpan kernelTime = source.ReadThreadTime() - start;
        response.Values = UnsafeByteOperations.UnsafeWrap(values);
        response.Cost = new V1.ScanCost
        {
            Entries = found,
            NativeCalls = (ulong)count,
            KernelTime = Duration.FromTimeSpan(kernelTime),

            // By the wall clock, which costs no system call for each key; one may have lost its CPU in the middle.
            LongestCall = Duration.FromTimeSpan(longest < kernelTime ? longest : kernelTime),
            Bytes = (ulong)values.Length,
        };
        return response;
    }
}
