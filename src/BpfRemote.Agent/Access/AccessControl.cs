using BpfRemote.Agent.Access.Policy;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Files;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Access;

/// <summary>The policy in force, and judges of it.</summary>
/// <param name="file">The policy file; null for none.</param>
/// <param name="builtIn">What holds where there is no file.</param>
/// <param name="source">Where pins are looked up.</param>
internal sealed class AccessControl(ReloadedFile<AccessPolicy>? file, AccessPolicy builtIn, IMapSource source)
{
    /// <summary>The policy in force: another object after a change.</summary>
    public AccessPolicy Policy => file?.Current ?? builtIn;

    /// <summary>A judge of what a caller may do now.</summary>
    /// <exception cref="RpcException">PERMISSION_DENIED / CALLER_DENIED: no rule applies to the caller.</exception>
    public MapJudge JudgeFor(Caller caller, AccessPolicy policy, CancellationToken cancellationToken)
    {
        IReadOnlyList<AccessRule> rules = policy.RulesFor(caller);
        return rules.Count > 0
            ? new(rules, () => source.ReadPins(cancellationToken))
            : throw ServiceError.Create(
                StatusCode.PermissionDenied,
                ErrorReason.CallerDenied,
                file is null
                    ? "this agent has no policy and answers root over its unix socket only"
                    : "no rule of the agent's policy applies to the caller",
                ("principal", caller.Principal));
    }
}
