using BpfRemote.Libbpf.Interop;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Libbpf;

/// <summary>Owns the file descriptor of a map or a program.</summary>
internal sealed class SafeBpfHandle : SafeHandleMinusOneIsInvalid
{
    private SafeBpfHandle(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    /// <summary>What /proc tells of the file descriptor, while it is open.</summary>
    internal string FdInfoPath => $"/proc/self/fdinfo/{DangerousGetHandle()}";

    /// <summary>Takes over what a call returned: a file descriptor, or a negative errno.</summary>
    /// <remarks>As the return type of an import, a SafeHandle would take a negative errno for a file descriptor.</remarks>
    /// <exception cref="BpfException">The call failed.</exception>
    internal static SafeBpfHandle Wrap(int result, string operation, string subject) =>
        result >= 0 ? new(result) : throw new BpfException(operation, (Errno)(-result), subject);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.close(handle) == 0;
}
