using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Interop;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Libbpf.Separation;

/// <summary>One end of the socket between server and broker: messages whole or not at all, and file descriptors beside them. One
/// thread may receive while others send.</summary>
internal sealed unsafe class BrokerChannel(SafeFileHandle socket) : IDisposable
{
    private const int POLLHUP = 0x10;
    private const int Forever = -1;

    /// <summary>Makes a channel.</summary>
    /// <returns>This process's end, and the other's, which programs that are started inherit.</returns>
    /// <exception cref="BpfException">The kernel refused.</exception>
    internal static (BrokerChannel Ours, SafeFileHandle Theirs) CreatePair()
    {
        int* ends = stackalloc int[2];

        // SAFETY: the kernel writes two file descriptors.
        if (UnixSocket.socketpair(
            UnixSocket.AF_UNIX, UnixSocket.SOCK_SEQPACKET | UnixSocket.SOCK_CLOEXEC, 0, ends) < 0)
        {
            throw Failed(nameof(UnixSocket.socketpair));
        }

        using SafeFileHandle theirs = new(ends[1], ownsHandle: true);
        return (new(new(ends[0], ownsHandle: true)), Inheritable(theirs));
    }

    /// <summary>A second file descriptor of the same file, which programs that are started inherit.</summary>
    /// <exception cref="BpfException">The kernel refused.</exception>
    internal static SafeFileHandle Inheritable(SafeHandle file)
    {
        int fd = UnixSocket.dup(file);
        return fd >= 0 ? new(fd, ownsHandle: true) : throw Failed(nameof(UnixSocket.dup));
    }

    /// <summary>Sends a message, and a file descriptor with it.</summary>
    /// <exception cref="BpfException">EPIPE: the other end is gone.</exception>
    internal void Send(in BrokerMessage message, SafeBpfHandle? passed = null)
    {
        bool added = false;
        try
        {
            passed?.DangerousAddRef(ref added);
            cmsg_fd control = new()
            {
                cmsg_len = cmsg_fd.Length,
                cmsg_level = UnixSocket.SOL_SOCKET,
                cmsg_type = UnixSocket.SCM_RIGHTS,
                fd = (int)(passed?.DangerousGetHandle() ?? -1),
            };

            // SAFETY: the kernel reads one message and at most one control message, which live beyond the call.
            fixed (BrokerMessage* bytes = &message)
            {
                iovec vector = new() { iov_base = bytes, iov_len = (nuint)sizeof(BrokerMessage) };
                msghdr header = new() { msg_iov = &vector, msg_iovlen = 1 };
                if (passed is not null)
                {
                    header.msg_control = &control;
                    header.msg_controllen = (nuint)sizeof(cmsg_fd);
                }

                while (UnixSocket.sendmsg(socket, &header, UnixSocket.MSG_NOSIGNAL) < 0)
                {
                    ThrowUnlessInterrupted(nameof(UnixSocket.sendmsg));
                }
            }
        }
        finally
        {
            if (added)
            {
                passed!.DangerousRelease();
            }
        }
    }

    /// <summary>Receives a message; what is passed beside it is not taken.</summary>
    /// <param name="message">The message; all zero, and of no kind therefore, where the other end sent something of another size.</param>
    /// <returns>False where the other end is gone.</returns>
    internal bool TryReceive(out BrokerMessage message) => TryReceive(out message, null);

    /// <summary>Receives a message, and the file descriptor that may come with it.</summary>
    /// <inheritdoc cref="TryReceive(out BrokerMessage)"/>
    internal bool TryReceive(out BrokerMessage message, out int? passed)
    {
        cmsg_fd control = default;
        bool received = TryReceive(out message, &control);
        passed = control is { cmsg_len: cmsg_fd.Length, cmsg_level: UnixSocket.SOL_SOCKET, cmsg_type: UnixSocket.SCM_RIGHTS }
            ? control.fd
            : null;
        return received;
    }

    /// <summary>Blocks until the other end is gone, or has hung up.</summary>
    internal void WaitForHangUp()
    {
        bool added = false;
        try
        {
            socket.DangerousAddRef(ref added);
            pollfd polled = new() { fd = (int)socket.DangerousGetHandle() };

            // SAFETY: the kernel reads and writes one pollfd. POLLHUP is always polled for.
            while ((polled.revents & POLLHUP) == 0 && UnixSocket.poll(&polled, 1, Forever) < 0)
            {
                ThrowUnlessInterrupted(nameof(UnixSocket.poll));
            }
        }
        finally
        {
            if (added)
            {
                socket.DangerousRelease();
            }
        }
    }

    /// <summary>Ends the conversation: both ends receive nothing more.</summary>
    internal void HangUp() => UnixSocket.shutdown(socket, UnixSocket.SHUT_RDWR);

    public void Dispose() => socket.Dispose();

    private bool TryReceive(out BrokerMessage message, cmsg_fd* control)
    {
        message = default;
        nint length;
        msghdr header = new() { msg_iovlen = 1 };
        fixed (BrokerMessage* bytes = &message)
        {
            // SAFETY: the kernel writes at most one message and, where there is room for it, one control message.
            iovec vector = new() { iov_base = bytes, iov_len = (nuint)sizeof(BrokerMessage) };
            header.msg_iov = &vector;
            header.msg_control = control;
            header.msg_controllen = control is null ? 0 : (nuint)sizeof(cmsg_fd);
            while ((length = UnixSocket.recvmsg(socket, &header, UnixSocket.MSG_CMSG_CLOEXEC)) < 0)
            {
                ThrowUnlessInterrupted(nameof(UnixSocket.recvmsg));
            }
        }

        if (length != sizeof(BrokerMessage) || (header.msg_flags & UnixSocket.MSG_TRUNC) != 0)
        {
            message = default;
        }

        return length > 0;
    }

    private static void ThrowUnlessInterrupted(string operation)
    {
        if ((Errno)Marshal.GetLastPInvokeError() != Errno.EINTR)
        {
            throw Failed(operation);
        }
    }

    private static BpfException Failed(string operation) =>
        new(operation, (Errno)Marshal.GetLastPInvokeError(), "the socket between server and broker");
}
