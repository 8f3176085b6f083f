using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BpfRemote.Libbpf.Interop;

/// <summary>Calls on maps: <c>bpf/bpf.h</c>. Each returns a negative errno on failure.</summary>
internal static unsafe partial class BpfMap
{
    [LibraryImport(LibbpfVersion.Library)]
    internal static partial int bpf_map_get_next_id(uint start_id, uint* next_id);

    [LibraryImport(LibbpfVersion.Library)]
    internal static partial int bpf_map_get_fd_by_id_opts(uint id, bpf_get_fd_by_id_opts* opts);

    [LibraryImport(LibbpfVersion.Library)]
    internal static partial int bpf_map_lookup_batch(
        SafeBpfHandle fd, byte* in_batch, byte* out_batch, byte* keys, byte* values, uint* count, bpf_map_batch_opts* opts);

    [LibraryImport(LibbpfVersion.Library)]
    internal static partial int bpf_map_lookup_elem(SafeBpfHandle fd, byte* key, byte* value);

    [LibraryImport(LibbpfVersion.Library)]
    internal static partial int bpf_map_get_next_key(SafeBpfHandle fd, byte* key, byte* next_key);
}

[StructLayout(LayoutKind.Sequential)]
internal struct bpf_get_fd_by_id_opts
{
    internal nuint sz;
    internal uint open_flags;
    private readonly uint _zero;
}

[StructLayout(LayoutKind.Sequential)]
internal struct bpf_map_batch_opts
{
    internal nuint sz;
    internal ulong elem_flags;
    internal ulong flags;
}

/// <summary><c>linux/bpf.h</c>, as far as the oldest supported kernel fills it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct bpf_map_info
{
    internal uint type;
    internal uint id;
    internal uint key_size;
    internal uint value_size;
    internal uint max_entries;
    internal uint map_flags;
    internal bpf_obj_name name;
    internal uint ifindex;
    internal uint btf_vmlinux_value_type_id;
    internal ulong netns_dev;
    internal ulong netns_ino;
    internal uint btf_id;
    internal uint btf_key_type_id;
    internal uint btf_value_type_id;
    internal uint btf_vmlinux_id;
    internal ulong map_extra;
}

/// <summary><c>char[BPF_OBJ_NAME_LEN]</c>: zero-terminated.</summary>
[InlineArray(16)]
internal struct bpf_obj_name
{
    private byte _first;
}
