using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.DemoMaps.Interop;

/// <summary>What libbpf's btf.h offers for making BTF. Results below zero are -errno, others a type id or 0.</summary>
internal static partial class LibbpfBtf
{
    // Silences libbpf before the first call, as in Libbpf: the kernel's log of refused BTF would go to stderr.
    static LibbpfBtf() => Libbpf.libbpf_set_print(0);

    [LibraryImport(Libbpf.Library)]
    internal static partial SafeBtfHandle btf__new_empty();

    [LibraryImport(Libbpf.Library)]
    internal static partial void btf__free(nint btf);

    [LibraryImport(Libbpf.Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int btf__add_int(SafeBtfHandle btf, string name, nuint byte_sz, int encoding);

    [LibraryImport(Libbpf.Library)]
    internal static partial int btf__add_array(SafeBtfHandle btf, uint index_type_id, uint elem_type_id, uint nr_elems);

    [LibraryImport(Libbpf.Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int btf__add_struct(SafeBtfHandle btf, string name, uint byte_sz);

    [LibraryImport(Libbpf.Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int btf__add_field(
        SafeBtfHandle btf, string name, uint field_type_id, uint bit_offset, uint bit_size);

    [LibraryImport(Libbpf.Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int btf__add_enum(SafeBtfHandle btf, string name, uint bytes_sz);

    [LibraryImport(Libbpf.Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int btf__add_enum_value(SafeBtfHandle btf, string name, long value);

    [LibraryImport(Libbpf.Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int btf__add_typedef(SafeBtfHandle btf, string name, uint ref_type_id);

    [LibraryImport(Libbpf.Library)]
    internal static partial long btf__resolve_size(SafeBtfHandle btf, uint type_id);

    [LibraryImport(Libbpf.Library)]
    internal static partial int btf__align_of(SafeBtfHandle btf, uint id);

    [LibraryImport(Libbpf.Library)]
    internal static partial int btf__load_into_kernel(SafeBtfHandle btf);

    [LibraryImport(Libbpf.Library)]
    internal static partial int btf__fd(SafeBtfHandle btf);

    [LibraryImport(Libbpf.Library)]
    internal static partial void btf__set_fd(SafeBtfHandle btf, int fd);
}

/// <summary>A <c>struct btf *</c>.</summary>
internal sealed class SafeBtfHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        LibbpfBtf.btf__free(handle);
        return true;
    }
}
