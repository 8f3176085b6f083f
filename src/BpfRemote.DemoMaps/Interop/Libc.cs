using System.Runtime.InteropServices;

namespace BpfRemote.DemoMaps.Interop;

/// <summary>Mounting a bpffs, and telling one.</summary>
internal static unsafe partial class Libc
{
    internal const long BPF_FS_MAGIC = 0xcafe4a11;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    internal static partial int mount(string source, string target, string filesystemtype, nuint mountflags, void* data);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    internal static partial int statfs(string path, statfs_head* buf);
}

/// <summary><c>struct statfs</c>, of which the first member is read: 120 bytes on 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential, Size = 120)]
internal struct statfs_head
{
    internal long f_type;
}
