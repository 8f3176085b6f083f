using BpfRemote.Agent.Limits;
using Google.Rpc;
using Grpc.Core;
using Xunit;

namespace BpfRemote.Agent.Tests.Limits;

public sealed class ScanSlotsTests
{
    private readonly ScanSlots _slots = new(
        new AgentLimits { MaxConcurrentScans = 3 }, principal => new() { MaxConcurrentScans = principal == "greedy" ? 2 : 8 });

    [Fact]
    public void A_principal_at_its_limit_leaves_slots_to_others()
    {
        _slots.Take("greedy");
        _slots.Take("greedy");

        AssertTurnedAway("greedy", "max_scans_per_principal", "2");
        _slots.Take("other");
        AssertTurnedAway("other", "max_concurrent_scans", "3");
    }

    [Fact]
    public void A_slot_that_is_given_back_is_free()
    {
        using (_slots.Take("greedy"))
        {
            _slots.Take("greedy");
        }

        _slots.Take("greedy");
        AssertTurnedAway("greedy", "max_scans_per_principal", "2");
    }

    private void AssertTurnedAway(string principal, string limit, string value)
    {
        RpcException error = Assert.Throws<RpcException>(() => { _slots.Take(principal); });
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Google.Rpc.Status status = error.GetRpcStatus()!;
        Assert.Equal("TOO_MANY_SCANS", status.GetDetail<ErrorInfo>().Reason);
        Assert.Equal(value, status.GetDetail<ErrorInfo>().Metadata[limit]);
        Assert.NotNull(status.GetDetail<RetryInfo>());
    }
}
