namespace BpfRemote.Simulation;

/// <summary>The system calls a reader makes on a map.</summary>
public enum NativeCall
{
    /// <summary>Opening by id or by pin.</summary>
    Open,

    /// <summary>BPF_MAP_LOOKUP_BATCH.</summary>
    LookupBatch,

    /// <summary>BPF_MAP_LOOKUP_ELEM.</summary>
    LookupElement,

    /// <summary>BPF_MAP_GET_NEXT_KEY.</summary>
    GetNextKey,
}
