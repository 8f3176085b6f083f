using BpfRemote.Agent.Access.Policy;
using BpfRemote.Agent.Audit;
using BpfRemote.Agent.Errors;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Access;

/// <summary>What one call may do, as its caller and the policy have it; what was decided goes into the call's record.</summary>
internal sealed class CallAccess
{
    /// <summary>How long a stream goes on by what was decided before.</summary>
    public static readonly TimeSpan JudgedAgainAfter = TimeSpan.FromSeconds(30);

    private readonly AccessControl _control;
    private readonly TimeProvider _time;
    private readonly CancellationToken _callEnded;
    private AccessPolicy _policy;
    private MapJudge _judge;
    private long _judgedAt;

    /// <param name="caller">Who calls.</param>
    /// <param name="record">What the audit log will say of the call.</param>
    /// <param name="control">The policy in force.</param>
    /// <param name="time">The clock.</param>
    /// <param name="callEnded">Ends walks for pins.</param>
    /// <exception cref="RpcException">PERMISSION_DENIED / CALLER_DENIED: no rule applies to the caller.</exception>
    public CallAccess(Caller caller, CallRecord record, AccessControl control, TimeProvider time, CancellationToken callEnded)
    {
        Caller = caller;
        Record = record;
        _control = control;
        _time = time;
        _callEnded = callEnded;
        _policy = control.Policy;
        _judge = control.JudgeFor(caller, _policy, callEnded);
        _judgedAt = time.GetTimestamp();
    }

    /// <summary>Who calls.</summary>
    public Caller Caller { get; }

    /// <summary>What the audit log will say of the call.</summary>
    public CallRecord Record { get; }

    /// <summary>Of a call that is admitted.</summary>
    public static CallAccess Of(ServerCallContext context) => context.GetHttpContext().Features.Get<CallAccess>()
        ?? throw new InvalidOperationException("the call was not admitted");

    /// <summary>Whether the caller may know of a map.</summary>
    /// <param name="map">The map, as it was opened.</param>
    /// <param name="pin">The pin that it was opened through; null for none.</param>
    public bool MayList(MapInfo map, string? pin = null) => _judge.RuleFor(MapRights.List, map, pin) is not null;

    /// <summary>Whether the caller may know of the map that the call is about; the record has it.</summary>
    /// <param name="map">The map, as it was opened.</param>
    /// <param name="pin">The pin that it was opened through; null for none.</param>
    public bool MayUse(MapInfo map, string? pin = null)
    {
        AccessRule? rule = _judge.RuleFor(MapRights.List, map, pin);
        Record.Decide(map, pin, rule);
        return rule is not null;
    }

    /// <summary>Demands the right to read a map that the caller may list, and to read it at full pace where that is asked for.</summary>
    /// <param name="map">The map, as it was opened.</param>
    /// <param name="pin">The pin that it was opened through; null for none.</param>
    /// <param name="atFullPace">Whether the pace is full.</param>
    /// <exception cref="RpcException">PERMISSION_DENIED: READ_DENIED, PACE_DENIED.</exception>
    public void DemandRead(MapInfo map, string? pin, bool atFullPace)
    {
        AccessRule? rule = _judge.RuleFor(MapRights.Read, map, pin);
        Record.Decide(map, pin, rule);
        if (rule is null)
        {
            throw ServiceError.Create(
                StatusCode.PermissionDenied, ErrorReason.ReadDenied, "the caller may list the map and not read it", ("map_id", $"{map.Id}"));
        }

        if (atFullPace && _judge.RuleFor(MapRights.FullPace, map, pin) is null)
        {
            Record.Decide(map, pin, rule: null);
            throw ServiceError.Create(
                StatusCode.PermissionDenied, ErrorReason.PaceDenied, "the caller may read the map at gentle pace only", ("map_id", $"{map.Id}"));
        }
    }

    /// <summary>Demands the right to go on reading a map: judged anew every 30 s and after a change of the policy, by where the map
    /// is pinned now.</summary>
    /// <exception cref="RpcException">PERMISSION_DENIED: CALLER_DENIED, READ_DENIED, PACE_DENIED. FAILED_PRECONDITION /
    /// MAP_REPLACED: for the caller, the map is not there any more. UNAUTHENTICATED / CREDENTIALS_INVALID: its token has
    /// expired.</exception>
    public void DemandReadStill(MapInfo map, bool atFullPace)
    {
        AccessPolicy policy = _control.Policy;
        if (policy == _policy && _time.GetElapsedTime(_judgedAt) < JudgedAgainAfter)
        {
            return;
        }

        if (Caller.ExpiresAt <= _time.GetUtcNow())
        {
            throw CallerIdentity.Refused("the bearer token has expired; resume with a new one");
        }

        _judge = _control.JudgeFor(Caller, policy, _callEnded);
        _policy = policy;
        _judgedAt = _time.GetTimestamp();
        if (!MayUse(map))
        {
            throw ServiceError.MapReplaced();
        }

        DemandRead(map, pin: null, atFullPace);
    }
}
