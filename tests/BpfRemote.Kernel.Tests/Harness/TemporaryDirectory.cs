namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>A directory that goes with this object.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("bpfremote-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
