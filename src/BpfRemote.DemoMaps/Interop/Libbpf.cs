using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.DemoMaps.Interop;

/// <summary>What libbpf's bpf.h and libbpf.h offer for making and filling maps. Results below zero are -errno.</summary>
internal static unsafe partial class Libbpf
{
    internal const string Library = "libbpf.so.1";

    // Before the first call: libbpf writes warnings to stderr, and each failure here becomes an exception anyway.
    static Libbpf() => libbpf_set_print(0);

    [LibraryImport(Library)]
    internal static partial nint libbpf_set_print(nint fn);

    [LibraryImport(Library)]
    internal static partial int libbpf_num_possible_cpus();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_map_create(
        BpfRemote.Libbpf.BpfMapType map_type,
        string map_name,
        uint key_size,
        uint value_size,
        uint max_entries,
        bpf_map_create_opts* opts);

    [LibraryImport(Library)]
    internal static partial int bpf_map_update_elem(SafeFileHandle fd, byte* key, byte* value, ulong flags);

    [LibraryImport(Library)]
    internal static partial int bpf_map_lookup_elem(SafeFileHandle fd, byte* key, byte* value);

    [LibraryImport(Library)]
    internal static partial int bpf_map_delete_elem(SafeFileHandle fd, byte* key);

    [LibraryImport(Library)]
    internal static partial int bpf_map_update_batch(
        SafeFileHandle fd, byte* keys, byte* values, uint* count, bpf_map_batch_opts* opts);

    [LibraryImport(Library)]
    internal static partial int bpf_map_delete_batch(
        SafeFileHandle fd, byte* keys, uint* count, bpf_map_batch_opts* opts);

    [LibraryImport(Library)]
    internal static partial int bpf_map_freeze(SafeFileHandle fd);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_obj_pin(SafeFileHandle fd, string pathname);

    [LibraryImport(Library)]
    internal static partial int bpf_obj_get_info_by_fd(SafeFileHandle bpf_fd, void* info, uint* info_len);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_prog_load(
        uint prog_type, string prog_name, string license, bpf_insn* insns, nuint insn_cnt, void* opts);
}

[StructLayout(LayoutKind.Sequential)]
internal struct bpf_map_create_opts
{
    internal nuint sz;
    internal uint btf_fd;
    internal uint btf_key_type_id;
    internal uint btf_value_type_id;
    internal uint btf_vmlinux_value_type_id;
    internal uint inner_map_fd;
    internal uint map_flags;
    internal ulong map_extra;
    internal uint numa_node;
    internal uint map_ifindex;
}

[StructLayout(LayoutKind.Sequential)]
internal struct bpf_map_batch_opts
{
    internal nuint sz;
    internal ulong elem_flags;
    internal ulong flags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct bpf_insn
{
    internal byte code;

    /// <summary>dst_reg in the low four bits, src_reg in the high four.</summary>
    internal byte regs;

    internal short off;
    internal int imm;
}

/// <summary>The head that <c>bpf_map_info</c> and <c>bpf_prog_info</c> share; the kernel accepts a short buffer.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct bpf_info_head
{
    internal uint type;
    internal uint id;
}
