using System.Buffers;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using BpfRemote.Agent.Access;
using BpfRemote.Agent.Errors;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Audit;

/// <summary>Who asked for what, what was decided and why, and how it ended: one line of JSON when a call is admitted or denied, before
/// its first byte leaves, and one when it ends.</summary>
/// <remarks>Denials are counted too, by RPC and status, whether there is a log or not: meter <c>BpfRemote.Agent</c>, counter
/// <c>bpfremote.agent.denied_calls</c>.</remarks>
internal sealed partial class AuditLog
{
    /// <summary>The meter that counts denials.</summary>
    public const string MeterName = "BpfRemote.Agent";

    private readonly IAuditSink? _sink;
    private readonly AccessControl _control;
    private readonly TimeProvider _time;
    private readonly ILogger<AuditLog> _log;
    private readonly Counter<long> _denied;

    /// <param name="sink">Where the lines go; null for nowhere.</param>
    /// <param name="control">Says whether a line is required.</param>
    /// <param name="meters">Makes the counter.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where a sink that fails is reported.</param>
    public AuditLog(IAuditSink? sink, AccessControl control, IMeterFactory meters, TimeProvider time, ILogger<AuditLog> log)
    {
        _sink = sink;
        _control = control;
        _time = time;
        _log = log;
        Meter meter = meters.Create(MeterName); // the factory's, who disposes it
        _denied = meter.CreateCounter<long>("bpfremote.agent.denied_calls", "{call}", "Calls that the policy turned away.");
    }

    /// <summary>Takes down that a call is let through, and nothing has been sent yet.</summary>
    /// <exception cref="RpcException">UNAVAILABLE / AUDIT_FAILED: the line is required and was not written.</exception>
    public void Admit(CallRecord record)
    {
        if (!TryWrite(AuditEvent.Admitted, record) && _control.Policy.AuditRequired)
        {
            throw ServiceError.Create(
                StatusCode.Unavailable, ErrorReason.AuditFailed, "the policy requires an audit line, which could not be written; nothing is sent");
        }
    }

    /// <summary>Takes down that a call is turned away.</summary>
    public void Deny(CallRecord record)
    {
        _denied.Add(1, new("rpc", record.Method), new("status", StatusNames.Of(record.Status)));
        TryWrite(AuditEvent.Denied, record);
    }

    /// <summary>Takes down how a call ended.</summary>
    public void End(CallRecord record) => TryWrite(AuditEvent.Ended, record);

    /// <summary>Opens the destination anew: it may have been moved away.</summary>
    public void Reopen()
    {
        try
        {
            _sink?.Reopen();
        }
        catch (IOException e)
        {
            LogFailed(e.Message);
        }
    }

    /// <returns>Whether the line is written.</returns>
    private bool TryWrite(AuditEvent what, CallRecord record)
    {
        if (_sink is null)
        {
            return false;
        }

        try
        {
            _sink.Write(Compose(what, record).WrittenSpan);
            return true;
        }
        catch (IOException e)
        {
            LogFailed(e.Message);
            return false;
        }
    }

    private ArrayBufferWriter<byte> Compose(AuditEvent what, CallRecord record)
    {
        ArrayBufferWriter<byte> line = new(512);
        using Utf8JsonWriter json = new(line);
        json.WriteStartObject();
        json.WriteString("time", _time.GetUtcNow());
        json.WriteString("event", what switch
        {
            AuditEvent.Admitted => "admitted",
            AuditEvent.Denied => "denied",
            _ => "ended",
        });
        json.WriteString("call", Hex(record.CallId));
        if (record.ScanId != 0)
        {
            json.WriteString("scan", Hex(record.ScanId));
        }

        json.WriteString("principal", record.Caller.Principal);
        json.WriteString("peer", record.Caller.Peer);
        json.WriteString("rpc", record.Method);
        if (record.Map is { } map)
        {
            json.WriteStartObject("map");
            json.WriteNumber("id", map.Id);
            json.WriteString("name", map.Name);
            if (record.Pin is not null)
            {
                json.WriteString("pin", record.Pin);
            }

            json.WriteEndObject();
        }

        json.WriteString("decision", record.IsAllowed ? "allow" : "deny");
        if (record.Rule is not null)
        {
            json.WriteString("rule", record.Rule);
        }

        if (what != AuditEvent.Admitted)
        {
            json.WriteString("status", StatusNames.Of(record.Status));
        }

        if (what == AuditEvent.Ended)
        {
            json.WriteNumber("entries", record.Entries);
            json.WriteNumber("bytes", record.Bytes);
            json.WriteNumber("kernel_time_ns", (long)record.KernelTime.TotalNanoseconds);
        }

        json.WriteEndObject();
        json.Flush();
        return line;
    }

    private static string Hex(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture);

    [LoggerMessage(EventId = 501, Level = LogLevel.Error, Message = "The audit log cannot be written: {Reason}")]
    private partial void LogFailed(string reason);
}
