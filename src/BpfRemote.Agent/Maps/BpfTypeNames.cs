using System.Globalization;
using BpfRemote.Libbpf;

namespace BpfRemote.Agent.Maps;

/// <summary>Names of map and program types as bpftool prints them; the number for a type newer than these tables.</summary>
internal static class BpfTypeNames
{
    private static readonly string[] MapTypes =
    [
        "unspec", "hash", "array", "prog_array", "perf_event_array", "percpu_hash", "percpu_array", "stack_trace", "cgroup_array",
        "lru_hash", "lru_percpu_hash", "lpm_trie", "array_of_maps", "hash_of_maps", "devmap", "sockmap", "cpumap", "xskmap",
        "sockhash", "cgroup_storage", "reuseport_sockarray", "percpu_cgroup_storage", "queue", "stack", "sk_storage",
        "devmap_hash", "struct_ops", "ringbuf", "inode_storage", "task_storage", "bloom_filter", "user_ringbuf", "cgrp_storage",
        "arena",
    ];

    private static readonly string[] ProgTypes =
    [
        "unspec", "socket_filter", "kprobe", "sched_cls", "sched_act", "tracepoint", "xdp", "perf_event", "cgroup_skb",
        "cgroup_sock", "lwt_in", "lwt_out", "lwt_xmit", "sock_ops", "sk_skb", "cgroup_device", "sk_msg", "raw_tracepoint",
        "cgroup_sock_addr", "lwt_seg6local", "lirc_mode2", "sk_reuseport", "flow_dissector", "cgroup_sysctl",
        "raw_tracepoint_writable", "cgroup_sockopt", "tracing", "struct_ops", "ext", "lsm", "sk_lookup", "syscall", "netfilter",
    ];

    /// <summary>The name of a map type.</summary>
    public static string OfMap(BpfMapType type) => NameOf(MapTypes, (uint)type);

    /// <summary>The map type of a name, or of a number in decimal; null where it is none.</summary>
    public static BpfMapType? TryParseMap(string name) => Array.IndexOf(MapTypes, name) switch
    {
        > 0 and int known => (BpfMapType)known,
        0 => null,
        _ when uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number > 0 => (BpfMapType)number,
        _ => null,
    };

    /// <summary>The name of a program type (<c>enum bpf_prog_type</c>).</summary>
    public static string OfProgram(uint type) => NameOf(ProgTypes, type);

    private static string NameOf(string[] names, uint type) =>
        type < names.Length ? names[type] : type.ToString(CultureInfo.InvariantCulture);
}
