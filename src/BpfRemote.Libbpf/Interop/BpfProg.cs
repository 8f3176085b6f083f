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

/// <summary><c>linux/bpf.h</c>, up to the misses: the kernel fills as much as info_len covers.</summary>
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
    internal uint ifindex;
    private readonly uint _gpl_compatible;
    internal ulong netns_dev;
    internal ulong netns_ino;
    internal uint nr_jited_ksyms;
    internal uint nr_jited_func_lens;
    internal ulong jited_ksyms;
    internal ulong jited_func_lens;
    internal uint btf_id;
    internal uint func_info_rec_size;
    internal ulong func_info;
    internal uint nr_func_info;
    internal uint nr_line_info;
    internal ulong line_info;
    internal ulong jited_line_info;
    internal uint nr_jited_line_info;
    internal uint line_info_rec_size;
    internal uint jited_line_info_rec_size;
    internal uint nr_prog_tags;
    internal ulong prog_tags;
    internal ulong run_time_ns;
    internal ulong run_cnt;
    internal ulong recursion_misses;
}
