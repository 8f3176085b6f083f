using System.Diagnostics;
using System.Globalization;
using BpfRemote.Agent;
using BpfRemote.Agent.Hosting;
using BpfRemote.Libbpf;
using Microsoft.AspNetCore.Builder;

namespace BpfRemote.Benchmarks;

/// <summary>What a whole agent, Kestrel and gRPC included, allocates for a scan: it runs in this process, and its client in another.</summary>
internal static class AgentAllocations
{
    private const int WarmScans = 10;
    private const int Scans = 20;

    /// <summary>Prints the managed bytes per scan.</summary>
    /// <param name="pin">The map.</param>
    /// <param name="load">The program that scans it.</param>
    public static async Task MeasureAsync(string pin, string load)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("bpfremote-benchmarks-");
        try
        {
            string address = $"unix://{directory.FullName}/agent.sock";
            AgentOptions options = new() { Listen = [address], RuntimeDirectory = directory.FullName };
            await using WebApplication agent = AgentHost.Build(
                options, KernelMapSource.Create(MapAccess.Enumerate), TimeProvider.System);
            await agent.StartAsync();
            await ScanAsync(load, address, pin, WarmScans);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await ScanAsync(load, address, pin, Scans);

            // The client makes one scan more than it counts.
            Console.WriteLine((GC.GetTotalAllocatedBytes(precise: true) - before) / (Scans + 1));
            await agent.StopAsync();
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task ScanAsync(string load, string address, string pin, int times)
    {
        string[] arguments = ["scan", address, pin, times.ToString(CultureInfo.InvariantCulture)];
        using Process client = Process.Start(new ProcessStartInfo(load, arguments) { RedirectStandardOutput = true })!;
        await client.StandardOutput.ReadToEndAsync();
        await client.WaitForExitAsync();
        if (client.ExitCode != 0)
        {
            throw new InvalidOperationException($"{load} ended with {client.ExitCode}");
        }
    }
}
