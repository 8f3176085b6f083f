using System.Runtime.InteropServices;

namespace BpfRemote.Libbpf.Interop;

/// <summary>Calls by which a process gives up power: <c>sys/prctl.h</c>, <c>linux/seccomp.h</c>, <c>linux/capability.h</c>. Each
/// returns -1 and sets errno on failure.</summary>
internal static unsafe partial class Seccomp
{
    internal const int PR_SET_PDEATHSIG = 1;
    internal const int PR_SET_DUMPABLE = 4;
    internal const int PR_SET_NO_NEW_PRIVS = 38;

    internal const uint SECCOMP_SET_MODE_FILTER = 1;
    internal const uint SECCOMP_FILTER_FLAG_TSYNC = 1;
    internal const uint SECCOMP_RET_ALLOW = 0x7fff_0000;
    internal const uint SECCOMP_RET_ERRNO = 0x0005_0000;

    internal const uint AUDIT_ARCH_X86_64 = 0xc000_003e;
    internal const uint AUDIT_ARCH_AARCH64 = 0xc000_00b7;

    internal const uint LINUX_CAPABILITY_VERSION_3 = 0x2008_0522;

    private const string Library = "libc";

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    /// <summary>libc has no wrapper of seccomp(2). A positive result is the thread that could not be synchronised.</summary>
    [LibraryImport(Library, SetLastError = true, EntryPoint = "syscall")]
    internal static partial nint seccomp(nint number, uint operation, nuint flags, sock_fprog* args);

    /// <summary>Sets the capabilities of the calling thread.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int capset(cap_user_header* hdrp, cap_user_data* datap);
}

/// <summary>One instruction of classic BPF: <c>linux/filter.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct sock_filter
{
    internal ushort code;
    internal byte jt;
    internal byte jf;
    internal uint k;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sock_fprog
{
    internal ushort len;
    internal sock_filter* filter;
}

[StructLayout(LayoutKind.Sequential)]
internal struct cap_user_header
{
    internal uint version;
    internal int pid;
}

/// <summary>Two <c>struct __user_cap_data_struct</c>: capabilities 0 to 31, then 32 to 63.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct cap_user_data
{
    internal uint effective;
    internal uint permitted;
    internal uint inheritable;
    internal uint effective_high;
    internal uint permitted_high;
    internal uint inheritable_high;
}
