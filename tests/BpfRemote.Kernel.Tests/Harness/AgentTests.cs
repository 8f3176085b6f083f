using BpfRemote.Client;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>Tests of an agent over a kernel: each test has both to itself.</summary>
public abstract class AgentTests : IAsyncLifetime
{
    protected InProcessAgent Agent { get; private set; } = null!;

    protected ITestKernel Kernel { get; private set; } = null!;

    /// <summary>Where the agent keeps its token keys.</summary>
    protected TemporaryDirectory RuntimeDirectory { get; } = new();

    public async ValueTask InitializeAsync()
    {
        Kernel = OpenKernel();
        Agent = await InProcessAgent.StartAsync(Kernel.Source, RuntimeDirectory);
    }

    public async ValueTask DisposeAsync()
    {
        if (Agent is not null)
        {
            await Agent.DisposeAsync();
            Kernel.Dispose();
        }

        RuntimeDirectory.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The kernel of a test; skips the test where there is none.</summary>
    protected abstract ITestKernel OpenKernel();

    /// <summary>Puts entries in.</summary>
    /// <param name="map">The map.</param>
    /// <param name="entries">Numbers 0 to below this.</param>
    /// <returns>What a reader must find then.</returns>
    protected static EntrySet Fill(ITestMap map, int entries)
    {
        byte[][] keys = [.. Enumerable.Range(0, entries).Select(number => EntryData.Key(map.Shape, number))];
        EntrySet expected = new();
        foreach ((byte[] key, byte[] value) in keys.Zip(map.PutAll(keys)))
        {
            expected.Add(key, value);
        }

        return expected;
    }

    /// <summary>Expects an error of the contract.</summary>
    protected static async Task<BpfRemoteException> AssertFails(StatusCode status, ErrorReason reason, Func<Task> call)
    {
        BpfRemoteException error = await Assert.ThrowsAnyAsync<BpfRemoteException>(call);
        Assert.Equal((status, reason), (error.StatusCode, error.Reason));
        return error;
    }

    /// <summary>Reads a map, or continues a scan, to its end.</summary>
    protected async Task<List<MapBatch>> ScanAsync(MapSelector? map, ScanOptions? options = null)
    {
        List<MapBatch> batches = [];
        await foreach (MapBatch batch in Agent.Client.Scan(map, options ?? new() { Pace = Pace.Full })
            .WithCancellation(TestContext.Current.CancellationToken))
        {
            batches.Add(batch);
        }

        return batches;
    }
}
