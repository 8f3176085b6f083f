namespace BpfRemote.Libbpf.Interop;

/// <summary><c>enum bpf_cmd</c> of <c>linux/bpf.h</c>: those that some process of the agent is left.</summary>
internal enum bpf_cmd : uint
{
    BPF_MAP_LOOKUP_ELEM = 1,
    BPF_MAP_GET_NEXT_KEY = 4,
    BPF_OBJ_GET = 7,
    BPF_PROG_GET_NEXT_ID = 11,
    BPF_MAP_GET_NEXT_ID = 12,
    BPF_PROG_GET_FD_BY_ID = 13,
    BPF_MAP_GET_FD_BY_ID = 14,
    BPF_OBJ_GET_INFO_BY_FD = 15,
    BPF_BTF_GET_FD_BY_ID = 19,
    BPF_MAP_LOOKUP_BATCH = 24,
}
