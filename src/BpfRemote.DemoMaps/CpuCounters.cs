using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.DemoMaps;

/// <summary><c>cpu_counters</c>: traffic by receive queue, counted by each CPU for itself.</summary>
internal sealed class CpuCounters : IDisposable
{
    private const int Queues = 4;

    private readonly Random _random = new(Seed: 2);
    private readonly Counters[] _counters = new Counters[Queues * WritableMap.PossibleCpus];

    internal CpuCounters()
    {
        Map = CreateMap();
        Advance();
    }

    internal WritableMap Map { get; }

    /// <summary>Every counter rises.</summary>
    internal void Advance()
    {
        foreach (ref Counters counters in _counters.AsSpan())
        {
            int packets = _random.Next(500, 2000);
            counters.Packets += (ulong)packets;
            counters.Drops += (ulong)(packets / 400);
            counters.Bytes += (ulong)packets * (ulong)_random.Next(60, 1460);
        }

        Map.UpdateBatch(
            MemoryMarshal.AsBytes<uint>([.. Enumerable.Range(0, Queues).Select(queue => (uint)queue)]),
            MemoryMarshal.AsBytes<Counters>(_counters),
            Queues);
    }

    public void Dispose() => Map.Dispose();

    private static unsafe WritableMap CreateMap()
    {
        using BtfBuilder btf = new();
        CTypes c = new(btf);
        uint value = btf.Struct("counters", ("packets", c.U64), ("drops", c.U64), ("bytes", c.U64));
        uint key = c.U32;
        using var loaded = btf.Load();
        return WritableMap.Create(new()
        {
            Type = BpfMapType.PerCpuArray,
            Name = "cpu_counters",
            KeySize = sizeof(uint),
            ValueSize = (uint)sizeof(Counters),
            MaxEntries = Queues,
            Btf = loaded,
            BtfKeyTypeId = key,
            BtfValueTypeId = value,
        });
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Counters
    {
        public ulong Packets;
        public ulong Drops;
        public ulong Bytes;
    }
}
