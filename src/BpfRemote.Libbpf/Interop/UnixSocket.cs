using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Libbpf.Interop;

/// <summary>Calls on unix sockets: .NET's pass no file descriptors. Each returns -1 and sets errno on failure.</summary>
internal static unsafe partial class UnixSocket
{
    internal const int AF_UNIX = 1;
    internal const int SOCK_SEQPACKET = 5;
    internal const int SOCK_CLOEXEC = 0x80000;
    internal const int SOL_SOCKET = 1;
    internal const int SCM_RIGHTS = 1;
    internal const int SHUT_RDWR = 2;
    internal const int MSG_TRUNC = 0x20;
    internal const int MSG_NOSIGNAL = 0x4000;
    internal const int MSG_CMSG_CLOEXEC = 0x4000_0000;

    private const string Library = "libc";

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int socketpair(int domain, int type, int protocol, int* sv);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint sendmsg(SafeFileHandle sockfd, msghdr* msg, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint recvmsg(SafeFileHandle sockfd, msghdr* msg, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int shutdown(SafeFileHandle sockfd, int how);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int poll(pollfd* fds, nuint nfds, int timeout);

    /// <summary>The new file descriptor, unlike all that .NET makes, is inherited by programs that are started.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int dup(SafeHandle oldfd);
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct iovec
{
    internal void* iov_base;
    internal nuint iov_len;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct msghdr
{
    internal void* msg_name;
    internal uint msg_namelen;
    internal iovec* msg_iov;
    internal nuint msg_iovlen;
    internal void* msg_control;
    internal nuint msg_controllen;
    internal int msg_flags;
}

/// <summary><c>struct cmsghdr</c> and the one file descriptor in it, padded as CMSG_SPACE pads it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct cmsg_fd
{
    /// <summary>CMSG_LEN(sizeof(int)): without the padding.</summary>
    internal const int Length = 20;

    internal nuint cmsg_len;
    internal int cmsg_level;
    internal int cmsg_type;
    internal int fd;
    private readonly int _padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct pollfd
{
    internal int fd;
    internal short events;
    internal short revents;
}
