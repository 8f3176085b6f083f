using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.LookupBatch;

/// <summary>A valid LookupBatch request.</summary>
/// <param name="Map">Which map; null where the token alone says.</param>
/// <param name="Token">The token to continue from; empty to begin.</param>
/// <param name="BatchSize">The most entries in one response, 1 to <see cref="AgentLimits.MaxBatchSize"/>.</param>
/// <param name="Limit">The most entries in the call, above 0.</param>
/// <param name="Gentle">Whether the scan keeps to the gentle pace.</param>
/// <param name="Include">What of each entry to send.</param>
internal sealed record LookupBatchQuery(MapSelector? Map, string Token, int BatchSize, ulong Limit, bool Gentle, Include Include)
{
    /// <summary>Parses a request.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT with all violations at once.</exception>
    public static LookupBatchQuery Parse(LookupBatchRequest request)
    {
        List<FieldViolation> violations = [];
        if (request.Map is not null || request.ContinuationToken.Length == 0)
        {
            MapResolver.Validate(request.Map, violations);
        }

        if (!Enum.IsDefined(request.Pace))
        {
            violations.Add(new("pace", $"unknown pace {(int)request.Pace}; expected PACE_GENTLE or PACE_FULL"));
        }

        if (!Enum.IsDefined(request.Include))
        {
            violations.Add(new(
                "include",
                $"unknown include {(int)request.Include}; expected INCLUDE_KEYS_AND_VALUES, INCLUDE_KEYS or INCLUDE_COUNT_ONLY"));
        }

        return violations.Count > 0
            ? throw ServiceError.InvalidFields(violations)
            : new LookupBatchQuery(
                request.Map,
                request.ContinuationToken,
                request.BatchSize == 0 ? AgentLimits.MaxBatchSize : (int)Math.Min(request.BatchSize, AgentLimits.MaxBatchSize),
                request.Limit == 0 ? ulong.MaxValue : request.Limit,
                request.Pace != Pace.Full,
                request.Include == Include.Unspecified ? Include.KeysAndValues : request.Include);
    }
}
