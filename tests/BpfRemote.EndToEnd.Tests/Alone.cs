namespace BpfRemote.EndToEnd;

/// <summary>Tests that measure time or memory, or use the whole machine: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
