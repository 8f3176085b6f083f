using BpfRemote.Agent.Access;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.GetBtf;

/// <summary>Serves GetBtf: the raw bytes of a BTF object in chunks. The agent forwards them and never parses them.</summary>
internal sealed class GetBtfHandler(
    IMapSource source,
    MapResolver maps,
    SharedBtf objects,
    ScanSlots slots,
    AgentLimits limits,
    IHostApplicationLifetime lifetime,
    TimeProvider time)
{
    /// <summary>The kernel's own BTF is the first that is loaded.</summary>
    private const uint VmlinuxBtfId = 1;

    /// <summary>Bytes of a chunk: under the 85,000 of the large object heap, on both sides.</summary>
    private const int ChunkSize = 65_536;

    /// <summary>Answers one call.</summary>
    public async Task HandleAsync(GetBtfRequest request, IServerStreamWriter<GetBtfResponse> responses, ServerCallContext context)
    {
        List<FieldViolation> violations = [];
        MapResolver.Validate(request.Map, violations);
        if (!Enum.IsDefined(request.Kind))
        {
            violations.Add(new(
                "kind", $"unknown kind {(int)request.Kind}; expected BTF_OBJECT_KIND_MAP or BTF_OBJECT_KIND_VMLINUX"));
        }

        if (violations.Count > 0)
        {
            throw ServiceError.InvalidFields(violations);
        }

        CallAccess access = CallAccess.Of(context);
        string principal = access.Caller.Principal;
        using ScanSlots.Lease slot = slots.Take(principal);

        // The map is held open until its BTF is read: that keeps the object's id.
        using IBpfMap map = maps.Open(request.Map, access);
        uint id = request.Kind == BtfObjectKind.Vmlinux ? VmlinuxBtfId : map.Info.BtfId;
        using SharedBtf.Copy btf = Open(id, principal);
        GetBtfResponse first = new()
        {
            BtfId = id,
            TotalSize = (ulong)btf.Memory.Length,
            BootId = source.Node.BootId.ToString(),
            Sha256 = btf.Sha256,
        };
        using ResponseWriter<GetBtfResponse> writer = new(responses, limits, time, context, lifetime.ApplicationStopping);
        for (int offset = 0; offset < btf.Memory.Length; offset += ChunkSize)
        {
            GetBtfResponse chunk = offset == 0 ? first : new GetBtfResponse();
            chunk.Data = UnsafeByteOperations.UnsafeWrap(
                btf.Memory.Slice(offset, Math.Min(ChunkSize, btf.Memory.Length - offset)));
            access.Record.Bytes += (ulong)chunk.Data.Length;
            await writer.WriteAsync(chunk, isLast: offset + ChunkSize >= btf.Memory.Length);
        }
    }

    private SharedBtf.Copy Open(uint id, string principal)
    {
        if (id == 0)
        {
            throw NotAvailable("the map refers to no BTF object");
        }

        try
        {
            return objects.Open(id, principal);
        }
        catch (BpfException e) when (e.Errno == Errno.ENOENT)
        {
            throw NotAvailable("the kernel has no such BTF object");
        }
        catch (BpfException e) when (e.Errno == Errno.EPERM)
        {
            throw NotAvailable("BTF objects are opened by id, which takes CAP_SYS_ADMIN: this agent opens pinned maps only");
        }
    }

    private static RpcException NotAvailable(string message) =>
        ServiceError.Create(StatusCode.FailedPrecondition, ErrorReason.BtfNotAvailable, message);
}
