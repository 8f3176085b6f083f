using System.Diagnostics;
using BpfRemote.Libbpf;

namespace BpfRemote.Btf.Tests;

/// <summary>The maps of other people's programs, as their compilers described them.</summary>
public sealed class RealProgramTests(ITestOutputHelper output)
{
    // Those that trace by BTF alone, so that they need no tracefs.
    private static readonly string[] Tools =
        ["biolatency", "cpudist", "hardirqs", "offcputime", "runqlat", "runqslower", "softirqs", "wakeuptime"];

    [Fact(Timeout = 60_000)]
    public async Task Maps_of_libbpf_tools_are_written_as_bpftool_does()
    {
        Bpftool.Require();
        Assert.SkipUnless(Tools.All(tool => File.Exists($"/usr/sbin/{tool}")), "needs libbpf-tools");
        KernelMapSource kernel = KernelMapSource.Create();
        List<Process> running = [.. Tools.Select(Start)];
        try
        {
            int maps = 0, entries = 0;
            foreach (MapInfo map in await MapsOfAsync(
                kernel, [.. running.Select(process => (uint)process.Id)], TestContext.Current.CancellationToken))
            {
                int found = Bpftool.AssertAlike(map);
                output.WriteLine($"{map.Name} ({map.Type}): {found} entries");
                entries += found;
                maps++;
            }

            Assert.True(maps >= Tools.Length, $"{maps} maps");
            Assert.True(entries >= Tools.Length, $"{entries} entries");
        }
        finally
        {
            foreach (Process process in running)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
                process.Dispose();
            }
        }
    }

    private static Process Start(string tool) => Process.Start(
        new ProcessStartInfo($"/usr/sbin/{tool}") { RedirectStandardOutput = true, RedirectStandardError = true })!;

    /// <summary>Waits until each process has maps with types, and gives them all.</summary>
    private static async Task<IReadOnlyList<MapInfo>> MapsOfAsync(
        KernelMapSource kernel, uint[] processes, CancellationToken cancellation)
    {
        while (true)
        {
            Dictionary<uint, MapInfo> maps = [];
            HashSet<uint> ready = [];
            foreach ((uint id, IReadOnlyList<OwnerProcess> owners) in kernel.ReadOwners(cancellation).ByMapId)
            {
                if (owners.FirstOrDefault(owner => processes.Contains(owner.Pid)) is { Pid: > 0 } owner
                    && InfoOf(kernel, id) is { BtfValueTypeId: > 0 } map)
                {
                    maps.Add(id, map);
                    ready.Add(owner.Pid);
                }
            }

            if (ready.Count == processes.Length)
            {
                return [.. maps.Values];
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellation);
        }
    }

    private static MapInfo? InfoOf(KernelMapSource kernel, uint id)
    {
        try
        {
            using IBpfMap map = kernel.OpenById(id);
            return map.Info;
        }
        catch (BpfException gone) when (gone.Errno == Errno.ENOENT)
        {
            return null;
        }
    }
}
