using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Lockdown;
using Xunit;

namespace BpfRemote.Libbpf.Tests.Lockdown;

/// <summary>A process of its own that locks itself down and attacks the kernel: there is no way back from a lockdown.</summary>
internal static class Probe
{
    private static readonly string Program = typeof(Probe).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == "LockdownProbe").Value!;

    /// <summary>Runs the probe.</summary>
    /// <param name="duties">What it is left to do; null for no lockdown at all.</param>
    /// <param name="arguments">A pin that it reads, and one that it tries to make.</param>
    /// <returns>What came of each attack on each thread.</returns>
    public static async Task<Dictionary<string, Errno>> RunAsync(Duties? duties, params IEnumerable<string> arguments)
    {
        _ = Kernel.Source;
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "the attacks are numbered as on x86-64");
        using Process probe = Process.Start(
            new ProcessStartInfo(Program, [$"{duties?.ToString() ?? "unlocked"}", .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        Task<string> error = probe.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await probe.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await probe.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(probe.ExitCode == 0, $"the probe ended with {probe.ExitCode}: {await error}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(": "))
            .ToDictionary(result => result[0], result => (Errno)int.Parse(result[1], CultureInfo.InvariantCulture));
    }
}
