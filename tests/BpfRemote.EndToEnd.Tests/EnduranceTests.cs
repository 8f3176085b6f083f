using BpfRemote.Client;
using BpfRemote.EndToEnd.Maps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;
using BpfRemote.V1;

namespace BpfRemote.EndToEnd;

/// <summary>What an agent keeps of the work it has done: nothing.</summary>
[Collection(nameof(Alone))]
public sealed class EnduranceTests
{
    // By then the compiler and the garbage collector have taken what they need: measured, 1 MiB more after 1,000 further scans.
    private const int WarmScans = 150;
    private const int Scans = 200;
    private const long MaxGrowthBytes = 16 << 20;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_and_open_files_stay_flat_over_many_scans()
    {
        Require.Kernel();
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 100_000);
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        using BpfRemoteClient client = site.Connect();

        await ScanAsync(client, map, WarmScans);
        long resident = agent.ResidentBytes;
        int open = agent.OpenFiles.Count;
        await ScanAsync(client, map, Scans);

        TestContext.Current.SendDiagnosticMessage($"resident {resident >> 20} MiB, then {agent.ResidentBytes >> 20} MiB");
        Assert.InRange(agent.ResidentBytes, 0, resident + MaxGrowthBytes);
        await agent.WaitForOpenFilesAsync(files => files.Count <= open, Cancelled);
    }

    private static async Task ScanAsync(BpfRemoteClient client, KnownMap map, int times)
    {
        for (int i = 0; i < times; i++)
        {
            int entries = 0;
            await foreach (MapBatch batch in client.Scan(map.Selector, new() { Pace = Pace.Full }).WithCancellation(Cancelled))
            {
                entries += batch.Count;
            }

            Assert.Equal(map.Count, entries);
        }
    }
}
