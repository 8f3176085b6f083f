using BpfRemote.Libbpf;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>A kernel whose maps the tests write and the agent reads.</summary>
public interface ITestKernel : IDisposable
{
    /// <summary>What the agent reads from.</summary>
    IMapSource Source { get; }

    /// <summary>Creates an empty map, which goes with this kernel or before.</summary>
    ITestMap Create(MapShape shape);
}

/// <summary>A map of a <see cref="ITestKernel"/>, seen by its writer.</summary>
public interface ITestMap : IDisposable
{
    uint Id { get; }

    MapShape Shape { get; }

    /// <summary>Puts an entry in.</summary>
    /// <param name="key">KeySize bytes; empty for queue and stack.</param>
    /// <param name="number">Which value: the same number is the same value.</param>
    /// <returns>The value as a reader must see it, without what is undefined: the padding between the blocks of CPUs.</returns>
    byte[] Put(ReadOnlySpan<byte> key, int number);

    /// <summary>Puts entries in, whose numbers are their places in the list.</summary>
    /// <returns>The values, as of <see cref="Put"/>.</returns>
    IReadOnlyList<byte[]> PutAll(IReadOnlyList<byte[]> keys) => [.. keys.Select((key, number) => Put(key, number))];

    /// <summary>Removes an entry; false where it was not there.</summary>
    bool Delete(ReadOnlySpan<byte> key);

    /// <summary>Pins the map below /sys/fs/bpf, in place of what was pinned there.</summary>
    void Pin(string path);

    /// <summary>Takes the pin away.</summary>
    void Unpin(string path);
}
