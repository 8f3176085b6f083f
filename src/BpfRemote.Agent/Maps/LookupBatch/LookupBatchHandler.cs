using BpfRemote.Agent.Access;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Tokens;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>Serves LookupBatch: request parsed, token opened, map opened, buffers filled ahead, token sealed, response written.</summary>
internal sealed class LookupBatchHandler(
    IMapSource source,
    MapResolver maps,
    ScanOpener opener,
    TokenSealer tokens,
    ScanSlots slots,
    BufferBudget buffers,
    GentlePace gentlePace,
    KernelTimeQuota quota,
    SpareReaders spares,
    AgentLimits limits,
    IHostApplicationLifetime lifetime,
    TimeProvider time)
{
    /// <summary>Answers one call.</summary>
    public async Task HandleAsync(
        LookupBatchRequest request, IServerStreamWriter<LookupBatchResponse> responses, ServerCallContext context)
    {
        CancellationToken callEnded = context.CancellationToken;
        CallAccess access = CallAccess.Of(context);
        string principal = access.Caller.Principal;
        LookupBatchQuery query = LookupBatchQuery.Parse(request);
        using ScanSlots.Lease running = slots.Take(principal);
        OpenedScan opened = opener.Open(query, access, callEnded);
        access.Record.ScanId = opened.ScanId;
        using MapLease lease = new(opened.Map, maps);
        using GentlePace.Call? gentle = query.Gentle ? gentlePace.Enter(principal) : null;
        CallPace pace = new(principal, quota, gentle);
        using ResponseWriter<LookupBatchResponse> writer = new(responses, limits, time, context, lifetime.ApplicationStopping);
        await using ReadAhead ahead = new(
            opened.Scan,
            query,
            lease,
            scan => new ScanReader(opened.Map, scan, query, pace, source, time),
            buffers.OpenScan(principal),
            spares,
            callEnded,
            lifetime.ApplicationStopping);
        Layout? layout = MapDescription.LayoutOf(opened.Map, source);
        ulong shape = ScanTicket.ShapeOf(opened.Map.Info);
        ScanMethod method = opened.Map.Layout.Method;
        ReadCost cost = default;
        ulong bytes = 0;

        ScanEnd end;
        do
        {
            ResponseSlot slot;
            try
            {
                slot = await ahead.NextAsync();
            }
            catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                throw ServiceError.Create(StatusCode.Unavailable, ErrorReason.Draining, "the agent shuts down; resume with the last token");
            }

            end = slot.End;
            if (end == ScanEnd.LimitReached && slot.Buffer.Count == 0)
            {
                break;
            }

            cost += slot.Cost;
            ulong entries = opened.EntriesBefore + cost.Entries;
            if (entries > opened.Scan.MaxEntries)
            {
                throw opened.Scan.Unstable("keys are added ahead of the scan faster than it ends");
            }

            access.DemandReadStill(opened.Map.Info, atFullPace: !query.Gentle);
            string token = end == ScanEnd.Completed ? "" : Seal(new ScanTicket
            {
                BootId = source.Node.BootId,
                ScanId = opened.ScanId,
                MapId = lease.MapId,
                Shape = shape,
                Method = method,
                Restarts = slot.Restarts,
                Entries = entries,
                Position = slot.Position,
                Pin = opened.Pin,
            });
            bytes += (ulong)(slot.Buffer.Keys.Length + slot.Buffer.Values.Length);
            access.Record.Entries = cost.Entries;
            access.Record.Bytes = bytes;
            access.Record.KernelTime = cost.KernelTime;
            await writer.WriteAsync(slot.Respond(cost, bytes, token, layout), isLast: end != ScanEnd.NotYet);
            layout = null;
            slot.Release();
        }
        while (end == ScanEnd.NotYet);
    }

    private string Seal(ScanTicket ticket)
    {
        Span<byte> payload = stackalloc byte[TokenSealer.MaxPayload];
        return tokens.Seal(TokenPurpose.Continuation, payload[..ticket.Write(payload)]);
    }
}
