using System.Runtime.InteropServices;

namespace BpfRemote.Libbpf.Interop;

internal static unsafe partial class BpfBtf
{
    [LibraryImport(LibbpfVersion.Library)]
    internal static partial int bpf_btf_get_fd_by_id(uint id);
}

/// <summary>linux/bpf.h.</summary>
internal struct bpf_btf_info
{
    internal ulong btf;
    internal uint btf_size;
    internal uint id;
    internal ulong name;
    internal uint name_len;
    internal uint kernel_btf;
}
