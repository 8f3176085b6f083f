using BpfRemote.Agent.Limits;
using Google.Rpc;
using Grpc.Core;
using Xunit;

namespace BpfRemote.Agent.Tests.Limits;

public sealed class BufferBudgetTests
{
    private const int Scans = 4;
    private const long Shared = 32 << 20;

    private readonly BufferBudget _budget = new(
        new AgentLimits { MaxConcurrentScans = Scans, MaxBufferBytes = BufferBudget.ReservedBy(Scans) + Shared });

    [Fact]
    public void Nobody_holds_more_than_what_they_leave_free()
    {
        BufferAccount greedy = Open("greedy");
        greedy.Take(Shared / 2);
        AssertExhausted(() => greedy.Take(1));

        BufferAccount second = Open("second");
        second.Take(Shared / 4);
        AssertExhausted(() => second.Take(1));

        BufferAccount third = Open("third");
        third.Take(Shared / 8);
    }

    [Fact]
    public void Scans_of_one_principal_share_its_part()
    {
        BufferAccount one = _budget.OpenScan("greedy");
        BufferAccount other = _budget.OpenScan("greedy");
        one.Take(BufferBudget.ScanReserve + (Shared / 2));

        AssertExhausted(() => other.Take(BufferBudget.ScanReserve + 1));
    }

    [Fact]
    public void An_ordinary_scan_finds_room_whatever_the_others_hold()
    {
        for (long half = Shared / 2; half > 0; half /= 2)
        {
            _budget.Take($"principal {half}", half);
        }

        foreach (int scan in Enumerable.Range(0, Scans))
        {
            _budget.OpenScan($"scan {scan}").Take(BufferBudget.ScanReserve);
        }
    }

    [Fact]
    public void What_is_given_back_is_free_again()
    {
        BufferAccount account = _budget.OpenScan("greedy");
        account.Take(BufferBudget.ScanReserve + (Shared / 2));
        account.Give(Shared / 4);
        account.Take(Shared / 4);
        account.Give(BufferBudget.ScanReserve + (Shared / 2));

        Open("greedy").Take(Shared / 2);
    }

    [Fact]
    public void What_was_refused_is_not_held()
    {
        BufferAccount account = Open("greedy");
        AssertExhausted(() => account.Take(Shared));
        account.Take(Shared / 2);
    }

    [Fact]
    public void An_empty_answer_may_leave_after_the_others()
    {
        _budget.Take("asking", 0);
        _budget.Take("asking", Shared / 2);
        _budget.Give("asking", Shared / 2);
        _budget.Give("asking", 0);

        _budget.Take("asking", Shared / 2);
    }

    /// <summary>The account of what nothing is set aside for.</summary>
    private BufferAccount Open(string principal) => new(_budget, principal, reserve: 0);

    private static void AssertExhausted(Action take)
    {
        RpcException error = Assert.Throws<RpcException>(take);
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Google.Rpc.Status status = error.GetRpcStatus()!;
        Assert.Equal("BUFFERS_EXHAUSTED", status.GetDetail<ErrorInfo>().Reason);
        Assert.NotNull(status.GetDetail<RetryInfo>());
    }
}
