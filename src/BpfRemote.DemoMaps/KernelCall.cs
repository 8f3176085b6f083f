using BpfRemote.DemoMaps.Interop;
using BpfRemote.Libbpf;
using Microsoft.Win32.SafeHandles;
using Native = BpfRemote.DemoMaps.Interop.Libbpf;

namespace BpfRemote.DemoMaps;

/// <summary>What every call into libbpf has in common: -errno becomes a <see cref="BpfException"/>, an fd a handle.</summary>
internal static class KernelCall
{
    internal static int Checked(int result, string operation, string subject) =>
        result >= 0 ? result : throw new BpfException(operation, (Errno)(-result), subject);

    internal static SafeFileHandle Opened(int result, string operation, string subject) =>
        new(Checked(result, operation, subject), ownsHandle: true);

    /// <summary>The kernel's id of a map or program.</summary>
    internal static unsafe uint IdOf(SafeFileHandle handle, string subject)
    {
        // SAFETY: the kernel writes at most `length` bytes into `head`.
        bpf_info_head head = default;
        uint length = (uint)sizeof(bpf_info_head);
        Checked(Native.bpf_obj_get_info_by_fd(handle, &head, &length), nameof(Native.bpf_obj_get_info_by_fd), subject);
        return head.id;
    }
}
