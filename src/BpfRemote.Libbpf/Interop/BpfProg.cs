using System.Runtime.InteropServices;

namespace BpfRemote.Libbpf.Interop;

/// <summary>Calls on programs: <c>bpf/bpf.h</c>. Each returns a negative errno on failure.</summary>
internal static unsafe partial class BpfProg
{
    [LibraryImport(LibbpfVersion.Library)]
    internal static partial int bpf_prog_get_next_id(uint start_id, uint* next_id);

    [LibraryImport(LibbpfVersion.Library)]
    internal static partial int bpf_prog_get_fd_by_id(uint id);
}

/// <summary><c>linux/bpf.h</c>, up to the name: the kernel fills as much as info_len covers.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct bpf_prog_info
{
    internal uint type;
    internal uint id;
    internal ulong tag;
    internal uint jited_prog_len;
    internal uint xlated_prog_len;
    internal ulong jited_prog_insns;
    internal ulong xlated_prog_insns;
    internal ulong load_time;
    internal uint created_by_uid;
    internal uint nr_map_ids;
    internal ulong map_ids;
    internal bpf_obj_name name;
}
