using BpfRemote.DemoMaps;
using BpfRemote.Libbpf.Lockdown;
using Xunit;

namespace BpfRemote.Libbpf.Tests.Lockdown;

public sealed class CapabilityTests
{
    [Fact]
    public void A_thread_keeps_what_it_says_and_so_do_those_it_starts()
    {
        using WritableMap map = Kernel.Filled(BpfMapType.Array, 1, 0);
        Errno listed = Errno.None;
        Errno written = Errno.None;
        string inherited = "";
        Thread thread = new(() =>
        {
            ProcessLockdown.KeepCapabilities(CapabilitySet.SysAdmin);
            listed = TryToList();
            ProcessLockdown.KeepCapabilities(CapabilitySet.None);
            written = TryToList();
            Thread child = new(() => inherited = File.ReadLines("/proc/thread-self/status").First(line => line.StartsWith("CapEff", StringComparison.Ordinal)));
            child.Start();
            child.Join();
        });
        thread.Start();
        thread.Join();

        Assert.Equal((Errno.None, Errno.EPERM), (listed, written));
        Assert.Equal($"CapEff:\t{0:x16}", inherited);
    }

    private static Errno TryToList()
    {
        try
        {
            return Kernel.Source.MapIds(0).Any() ? Errno.None : Errno.ENOENT;
        }
        catch (BpfException e)
        {
            return e.Errno;
        }
    }
}
