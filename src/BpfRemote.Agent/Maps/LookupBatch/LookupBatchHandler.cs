using BpfRemote.Agent.Access;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Tokens;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>Serves LookupBatch: request parsed, token opened, map opened, buffer filled, token sealed, response written.</summary>
internal sealed class LookupBatchHandler(
    IMapSource source,
    MapResolver maps,
    ScanOpener opener,
    TokenSealer tokens,
    ScanSlots slots,
    BufferBudget buffers,
    GentlePace gentlePace,
    KernelTimeQuota quota,
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
        using ScanSlots.Lease slot = slots.Take(principal);
        OpenedScan opened = opener.Open(query, access, callEnded);
        access.Record.ScanId = opened.ScanId;
        using MapLease lease = new(opened.Map, maps);
        using CancellationTokenSource reading = CancellationTokenSource.CreateLinkedTokenSource(callEnded, lifetime.ApplicationStopping);
        using GentlePace.Call? gentle = query.Gentle ? gentlePace.Enter(principal) : null;
        ScanReader reader = new(opened, query, new CallPace(principal, quota, gentle), source, time);
        BufferAccount account = buffers.OpenScan(principal);
        using ResponseSlot one = new(opened.Map.Layout, query.Include, account);
        using ResponseSlot other = new(opened.Map.Layout, query.Include, account);
        await using ResponseWriter<LookupBatchResponse> writer = new(responses, limits, time, context, lifetime.ApplicationStopping); // ends before the buffers that it may still be reading
        byte[] position = new byte[ScanTicket.MaxPosition];
        Layout? layout = MapDescription.LayoutOf(opened.Map, source);
        ulong shape = ScanTicket.ShapeOf(opened.Map.Info);
        ScanMethod method = opened.Map.Layout.Method;
        ulong bytes = 0;

        ScanEnd end = ScanEnd.NotYet;
        for (ResponseSlot current = one; end == ScanEnd.NotYet; current = current == one ? other : one)
        {
            current.Buffer.Clear();
            try
            {
                end = await reader.FillAsync(lease, current.Buffer, reading.Token);
                lease.Release();
            }
            catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                await writer.CompleteAsync();
                throw ServiceError.Create(StatusCode.Unavailable, ErrorReason.Draining, "the agent shuts down; resume with the last token");
            }

            if (end == ScanEnd.LimitReached && current.Buffer.Count == 0)
            {
                break;
            }

            access.DemandReadStill(opened.Map.Info, atFullPace: !query.Gentle);
            string token = end == ScanEnd.Completed ? "" : Seal(new ScanTicket
            {
                BootId = source.Node.BootId,
                ScanId = opened.ScanId,
                MapId = lease.MapId,
                Shape = shape,
                Method = method,
                Restarts = opened.Scan.Restarts,
                Entries = reader.EntriesOfScan,
                Position = position.AsMemory(0, opened.Scan.WritePosition(position)),
                Pin = opened.Pin,
            });
            LookupBatchResponse response = current.Respond(reader, opened.Scan, token, layout, bytes);
            bytes = response.Cost.Bytes;
            access.Record.Entries = reader.Entries;
            access.Record.Bytes = bytes;
            access.Record.KernelTime = reader.KernelTime;
            layout = null;
            await writer.BeginWriteAsync(response, isLast: end != ScanEnd.NotYet);
            if (lease.IsBrief)
            {
                await writer.CompleteAsync();
            }
        }

        await writer.CompleteAsync();
    }

    private string Seal(ScanTicket ticket)
    {
        Span<byte> payload = stackalloc byte[TokenSealer.MaxPayload];
        return tokens.Seal(TokenPurpose.Continuation, payload[..ticket.Write(payload)]);
    }
}
