using System.Runtime.InteropServices;
using Xunit;

namespace BpfRemote.Libbpf.Tests;

/// <summary>Runs code on a thread that has given up every capability: they belong to threads, not to processes.</summary>
internal static unsafe partial class WithoutCapabilities
{
    private const uint LinuxCapabilityVersion3 = 0x20080522;

    public static T Run<T>(Func<T> read)
    {
        T? result = default;
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                ulong* header = stackalloc ulong[1] { LinuxCapabilityVersion3 };
                ulong* none = stackalloc ulong[3] { 0, 0, 0 };
                Assert.Equal(0, capset(header, none));
                result = read();
            }
            catch (Exception thrown)
            {
                failure = thrown;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result! : throw new InvalidOperationException("without capabilities", failure);
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int capset(ulong* header, ulong* data);
}
