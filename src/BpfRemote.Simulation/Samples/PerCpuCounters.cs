using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Samples;

/// <summary>Counters that each CPU keeps for itself: an array by reason, or a hash by protocol.</summary>
internal sealed class PerCpuCounters
{
    private readonly uint[] _keys;
    private readonly ulong[] _counts;
    private readonly int _possibleCpus;

    public PerCpuCounters(SimulatedMapSource source, BpfMapType type, string name, uint maxEntries, uint[] keys)
    {
        _keys = keys;
        _possibleCpus = source.Node.PossibleCpuIds.Count;
        _counts = new ulong[keys.Length * _possibleCpus];
        Map = source.CreateMap(new(type, name, sizeof(uint), sizeof(ulong), maxEntries));
        for (int counter = 0; counter < keys.Length; counter++)
        {
            Store(counter);
        }
    }

    public SimulatedMap Map { get; }

    /// <summary>Every CPU counts a little on one of the counters.</summary>
    public void Write(Random random)
    {
        int counter = random.Next(_keys.Length);
        foreach (ref ulong count in CountsOf(counter))
        {
            count += (ulong)random.Next(100);
        }

        Store(counter);
    }

    private void Store(int counter) => Map.SetPerCpu(_keys[counter], CountsOf(counter));

    private Span<ulong> CountsOf(int counter) => _counts.AsSpan(counter * _possibleCpus, _possibleCpus);
}
