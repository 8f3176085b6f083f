using System.Reflection;
using System.Runtime.InteropServices;
using Xunit;

namespace BpfRemote.Libbpf.Tests;

public sealed class ImportsTests
{
    /// <summary>Everything the fence may call. A call that changes a map, a program or a pin has no place here; capset, prctl and
    /// syscall (for seccomp, which libc has no name for) are for giving up power, and the calls on sockets and users for the one process that opens maps for another.</summary>
    private static readonly string[] Allowed =
    [
        "bpf_btf_get_fd_by_id",
        "bpf_map_get_fd_by_id_opts", "bpf_map_get_next_id", "bpf_map_get_next_key", "bpf_map_lookup_batch", "bpf_map_lookup_elem",
        "bpf_obj_get_info_by_fd", "bpf_obj_get_opts", "bpf_prog_get_fd_by_id", "bpf_prog_get_next_id",
        "capset", "clock_gettime", "close", "dup", "getpwnam", "lchown", "libbpf_num_possible_cpus", "libbpf_set_print",
        "libbpf_version_string", "poll", "prctl", "readlink", "recvmsg", "sendmsg", "shutdown", "socketpair", "statfs", "syscall",
    ];

    [Fact]
    public void The_fence_imports_only_calls_that_read()
    {
        IEnumerable<string> imported =
            from type in typeof(KernelMapSource).Assembly.GetTypes()
            from method in type.GetMethods(
                BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            where method.Attributes.HasFlag(MethodAttributes.PinvokeImpl)
            select method.GetCustomAttribute<DllImportAttribute>()!.EntryPoint ?? method.Name;

        Assert.Equal(Allowed, imported.Distinct().Order(StringComparer.Ordinal));
    }
}
