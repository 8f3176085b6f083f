using System.Runtime.InteropServices;
using BpfRemote.DemoMaps.Interop;
using BpfRemote.Libbpf;

namespace BpfRemote.DemoMaps;

/// <summary>The file system that pins live in.</summary>
internal static unsafe class Bpffs
{
    internal const string Root = "/sys/fs/bpf";

    internal static bool IsMountedAt(string path)
    {
        statfs_head status = default;

        // SAFETY: the kernel writes one struct statfs, whose size `status` has.
        return Libc.statfs(path, &status) == 0 && (status.f_type & 0xffffffff) == Libc.BPF_FS_MAGIC;
    }

    /// <summary>Mounts a bpffs at <see cref="Root"/>, where distributions have it.</summary>
    internal static void Mount()
    {
        if (Libc.mount("bpffs", Root, "bpf", 0, null) != 0)
        {
            throw new BpfException(nameof(Libc.mount), (Errno)Marshal.GetLastPInvokeError(), $"bpffs at {Root}");
        }
    }
}
