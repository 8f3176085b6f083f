using BpfRemote.Client;
using BpfRemote.EndToEnd.Maps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;
using BpfRemote.V1;

namespace BpfRemote.EndToEnd;

/// <summary>Errors that strace puts into the bpf calls of a running agent: a scan is exact or fails, and never looks complete.</summary>
public sealed class ErrorInjectionTests
{
    /// <summary>The kernel sets <c>count</c> to 0 before a batch call fails with an error after which it is to be trusted; strace,
    /// which skips the call, has to do so in its place. The bytes before it are pointers that nobody reads again.</summary>
    private static readonly string CountZero = $"poke_exit=@arg2={new string('0', 2 * (32 + 4))}";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<BpfMapType, string, string> Faults
    {
        get
        {
            TheoryData<BpfMapType, string, string> faults = [];
            foreach (BpfMapType type in (BpfMapType[])[BpfMapType.Hash, BpfMapType.PerCpuArray, BpfMapType.LpmTrie])
            {
                foreach (string error in (string[])["ENOSPC", "EINTR", "EBUSY", "EFAULT", "ENOMEM", "EPERM"])
                {
                    faults.Add(type, error, "when=10+7"); // now and then
                }
            }

            foreach (string error in (string[])["ENOSPC", "EINTR", "EBUSY", "EFAULT", "ENOMEM"])
            {
                faults.Add(BpfMapType.Hash, error, "when=20+"); // from some moment on for ever
            }

            faults.Add(BpfMapType.PerCpuArray, "EINTR", "when=20+");
            return faults;
        }
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_scan_with_failing_native_calls_is_exact_or_fails(BpfMapType type, string error, string moments)
    {
        Require.Kernel();
        string strace = Require.Program("strace");
        using KnownMap map = KnownMap.Create(type, 20_000);
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        using BpfRemoteClient client = site.Connect();
        await client.GetMapAsync(map.Selector, cancellationToken: Cancelled);

        await using RunningProgram injector = RunningProgram.Start(
            strace, "--follow-forks", "--trace=bpf", $"--inject=bpf:error={error}:{CountZero}:{moments}", $"--attach={agent.ServerId}");
        await injector.WaitForLineAsync($"Process {agent.ServerId} attached", Cancelled);
        ScanRecord record = new(map);
        BpfRemoteException? failure = null;
        try
        {
            await foreach (MapBatch batch in client.Scan(map.Selector, new() { BatchSize = 500 }).WithCancellation(Cancelled))
            {
                record.Add(batch);
            }
        }
        catch (BpfRemoteException e)
        {
            failure = e;
        }

        await injector.SignalAsync("INT", Cancelled);
        await injector.WaitForExitAsync(Cancelled);
        Assert.Contains("(INJECTED", injector.Output, StringComparison.Ordinal);
        if (failure is null)
        {
            record.AssertComplete();
        }
        else
        {
            // ENOSPC is how the kernel says that a bucket is larger than the room for it, until there is no more room to give.
            Assert.True(
                failure.Reason == ErrorReason.KernelError && failure.Metadata["errno"] == error
                || failure.Reason == ErrorReason.EntryTooLarge && error == "ENOSPC" && type == BpfMapType.Hash,
                failure.Message);

            // With the faults gone, a failed scan goes on from its token and lacks nothing.
            ScanOptions resumed = new() { ContinuationToken = failure.ContinuationToken };
            await foreach (MapBatch batch in client.Scan(map.Selector, resumed).WithCancellation(Cancelled))
            {
                record.Add(batch);
            }

            record.AssertComplete();
        }
    }
}
