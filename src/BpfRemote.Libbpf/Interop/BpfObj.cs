using System.Runtime.InteropServices;

namespace BpfRemote.Libbpf.Interop;

/// <summary>Calls on maps and programs alike: <c>bpf/bpf.h</c>. Each returns a negative errno on failure.</summary>
internal static unsafe partial class BpfObj
{
    internal const uint BPF_F_RDONLY = 1u << 3;

    [LibraryImport(LibbpfVersion.Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_obj_get_opts(string pathname, bpf_obj_get_opts* opts);

    [LibraryImport(LibbpfVersion.Library)]
    internal static partial int bpf_obj_get_info_by_fd(SafeBpfHandle bpf_fd, void* info, uint* info_len);
}

[StructLayout(LayoutKind.Sequential)]
internal struct bpf_obj_get_opts
{
    internal nuint sz;
    internal uint file_flags;
    private readonly uint _zero;
}
