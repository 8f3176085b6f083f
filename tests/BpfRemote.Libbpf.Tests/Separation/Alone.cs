using Xunit;

namespace BpfRemote.Libbpf.Tests.Separation;

/// <summary>Tests that count what this process has open: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
