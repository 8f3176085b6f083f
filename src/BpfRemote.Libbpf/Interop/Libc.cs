using System.Runtime.InteropServices;

namespace BpfRemote.Libbpf.Interop;

/// <summary>The calls of libc that .NET has no equal of. Each returns -1 and sets errno on failure.</summary>
internal static unsafe partial class Libc
{
    internal const int CLOCK_REALTIME = 0;
    internal const int CLOCK_MONOTONIC = 1;
    internal const int CLOCK_THREAD_CPUTIME_ID = 3;
    internal const int CLOCK_BOOTTIME = 7;
    internal const uint BPF_FS_MAGIC = 0xcafe4a11;

    internal const int AT_FDCWD = -100;
    internal const ulong O_PATH = 0x20_0000;
    internal const ulong O_CLOEXEC = 0x8_0000;
    internal const ulong RESOLVE_NO_SYMLINKS = 4;

    /// <summary>The number of openat2, which libc has no wrapper of: the same on every architecture.</summary>
    internal const nint OpenAt2Call = 437;

    private const string Library = "libc";

    [LibraryImport(Library)]
    internal static partial int close(nint fd);

    [LibraryImport(Library)]
    internal static partial int clock_gettime(int clockid, timespec* tp);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint readlink(byte* path, byte* buf, nuint bufsiz);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8, SetLastError = true, EntryPoint = "syscall")]
    internal static partial nint openat2(nint number, nint dirfd, string pathname, open_how* how, nuint size);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statfs(string path, statfs_head* buf);
}

[StructLayout(LayoutKind.Sequential)]
internal struct timespec
{
    internal nint tv_sec;
    internal nint tv_nsec;
}

/// <summary><c>linux/openat2.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct open_how
{
    internal ulong flags;
    internal ulong mode;
    internal ulong resolve;
}

/// <summary>The start of <c>struct statfs</c>, in a buffer that holds the whole of it on every architecture.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct statfs_head
{
    internal uint f_type;
}
