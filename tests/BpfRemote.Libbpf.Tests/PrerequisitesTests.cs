using BpfRemote.DemoMaps;
using Xunit;

namespace BpfRemote.Libbpf.Tests;

public sealed class PrerequisitesTests
{
    [Fact]
    public void A_missing_libbpf_names_the_package_to_install()
    {
        BpfUnavailableException missing =
            Assert.Throws<BpfUnavailableException>(() => NativePrerequisites.RequireLibbpf("libbpf-of-no-machine.so.1"));

        Assert.Contains("is not installed", missing.Message, StringComparison.Ordinal);
        Assert.Contains("apt install libbpf1", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_old_libbpf_names_the_version_that_is_needed()
    {
        BpfUnavailableException old = Assert.Throws<BpfUnavailableException>(() => NativePrerequisites.RequireLibbpf("libm.so.6"));

        Assert.Contains("too old", old.Message, StringComparison.Ordinal);
        Assert.Contains("1.1", old.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_node_is_described()
    {
        NodeFacts node = Kernel.Source.Node;

        Assert.Equal(File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), node.KernelRelease);
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/hostname").Trim(), node.Hostname);
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), node.BootId.ToString());
        Assert.Equal(WritableMap.PossibleCpus, node.PossibleCpuIds.Count);
        Assert.StartsWith("1.", node.LibbpfVersion, StringComparison.Ordinal);
    }

    [Fact]
    public void The_clocks_run_and_agree_with_the_system()
    {
        NodeClocks first = Kernel.Source.ReadClocks();
        NodeClocks second = Kernel.Source.ReadClocks();

        Assert.True(second.Monotonic > first.Monotonic && second.Boottime > first.Boottime);
        Assert.True(first.Boottime >= first.Monotonic);
        TimeSpan sinceEpoch = TimeSpan.FromTicks((long)(first.Realtime / 100));
        Assert.Equal(TimeProvider.System.GetUtcNow(), DateTimeOffset.UnixEpoch + sinceEpoch, TimeSpan.FromMinutes(1));
    }
}
