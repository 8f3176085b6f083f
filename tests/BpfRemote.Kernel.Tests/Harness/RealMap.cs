using System.Net.Sockets;
using BpfRemote.DemoMaps;
using BpfRemote.Libbpf;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>A map of the kernel of this machine.</summary>
public sealed class RealMap : ITestMap
{
    private const uint LoopbackIfindex = 1;

    private readonly RealKernel _kernel;
    private readonly HashSet<string> _pins = [];

    internal RealMap(RealKernel kernel, MapShape shape)
    {
        _kernel = kernel;
        Shape = shape;
        Map = WritableMap.Create(new()
        {
            Type = shape.Type,
            Name = shape.Name,
            KeySize = shape.KeySize,
            ValueSize = shape.ValueSize,
            MaxEntries = shape.MaxEntries,
            Flags = shape.Flags,
            InnerMap = shape.Type is BpfMapType.ArrayOfMaps or BpfMapType.HashOfMaps ? kernel.InnerMaps[0] : null,
        });
    }

    public uint Id => Map.Id;

    public MapShape Shape { get; }

    /// <summary>The map itself, for writing in other ways.</summary>
    public WritableMap Map { get; }

    public byte[] Put(ReadOnlySpan<byte> key, int number)
    {
        switch (Shape.Type)
        {
            case BpfMapType.ArrayOfMaps or BpfMapType.HashOfMaps:
                WritableMap inner = _kernel.InnerMaps[number % _kernel.InnerMaps.Count];
                Map.Update(key, inner.Handle);
                return BitConverter.GetBytes(inner.Id);
            case BpfMapType.ProgArray:
                ReturnZeroProgram program = _kernel.Programs[number % _kernel.Programs.Count];
                Map.Update(key, program.Handle);
                return BitConverter.GetBytes(program.Id);
            case BpfMapType.SockMap or BpfMapType.SockHash or BpfMapType.ReuseportSockArray:
                Socket socket = _kernel.Sockets[number % _kernel.Sockets.Count];
                Map.Update(key, socket.SafeHandle);
                return RealKernel.CookieOf(socket);
            case BpfMapType.DevMap or BpfMapType.DevMapHash:
                return Put(key, BitConverter.GetBytes(LoopbackIfindex));
            case BpfMapType.CpuMap:
                return Put(key, BitConverter.GetBytes((uint)number + 1));
            case var _ when Shape.IsPerCpu:
                byte[] packed = EntryData.Value((int)Shape.ValueSize * WritableMap.PossibleCpus, number);
                Put(key, EntryData.Pad(packed, Shape));
                return packed;
            default:
                return Put(key, EntryData.Value((int)Shape.ValueSize, number));
        }
    }

    public IReadOnlyList<byte[]> PutAll(IReadOnlyList<byte[]> keys)
    {
        if (keys.Count == 0 || Shape.Type is not (BpfMapType.ArrayOfMaps or BpfMapType.HashOfMaps))
        {
            return [.. keys.Select((key, number) => Put(key, number))];
        }

        // The kernel waits for every running program after an update of a map of maps, and after a batch of them only once.
        WritableMap[] inner = [.. keys.Select((_, number) => _kernel.InnerMaps[number % _kernel.InnerMaps.Count])];
        Map.UpdateBatch(
            [.. keys.SelectMany(key => key)],
            [.. inner.SelectMany(map => BitConverter.GetBytes((uint)map.Handle.DangerousGetHandle()))],
            keys.Count);
        return [.. inner.Select(map => BitConverter.GetBytes(map.Id))];
    }

    public bool Delete(ReadOnlySpan<byte> key) => Map.Delete(key);

    public void Pin(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        Map.Pin(path);
        _pins.Add(path);
    }

    public void Unpin(string path)
    {
        RemovePin(path);
        _pins.Remove(path);
    }

    public void Dispose()
    {
        foreach (string path in _pins)
        {
            RemovePin(path);
        }

        Map.Dispose();
    }

    /// <summary>Removes a pin, and the directories that hold nothing else.</summary>
    private static void RemovePin(string path)
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }

        for (string? directory = Path.GetDirectoryName(path);
            directory is not (null or RealKernel.BpffsRoot) && Directory.Exists(directory)
            && !Directory.EnumerateFileSystemEntries(directory).Any();
            directory = Path.GetDirectoryName(directory))
        {
            Directory.Delete(directory);
        }
    }

    private byte[] Put(ReadOnlySpan<byte> key, byte[] value)
    {
        Map.Update(key, value);
        return value;
    }
}
