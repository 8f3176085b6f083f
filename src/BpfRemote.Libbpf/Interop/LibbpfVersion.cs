using System.Runtime.InteropServices;

namespace BpfRemote.Libbpf.Interop;

/// <summary>Calls on libbpf itself: <c>bpf/libbpf.h</c>.</summary>
internal static unsafe partial class LibbpfVersion
{
    internal const string Library = "libbpf.so.1";

    /// <summary>Text that libbpf owns.</summary>
    [LibraryImport(Library)]
    internal static partial byte* libbpf_version_string();

    [LibraryImport(Library)]
    internal static partial nint libbpf_set_print(nint fn);

    /// <summary>A negative errno on failure.</summary>
    [LibraryImport(Library)]
    internal static partial int libbpf_num_possible_cpus();
}
