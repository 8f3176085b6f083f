using BpfRemote.Libbpf;

namespace BpfRemote.Simulation;

/// <summary>A kernel in memory: the maps, pins, programs and processes of one node. Safe for concurrent use.</summary>
/// <param name="node">The machine.</param>
/// <param name="time">Where its clocks come from; the node boots when this object is made.</param>
public sealed class SimulatedMapSource(SimulatedNode node, TimeProvider time) : IMapSource
{
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, SimulatedMap> _maps = [];
    private readonly SortedDictionary<string, SimulatedMap> _pins = new(StringComparer.Ordinal);
    private readonly List<(uint MapId, BpfProgram Program)> _programs = [];
    private readonly List<(uint MapId, OwnerProcess Process)> _owners = [];
    private readonly long _boot = time.GetTimestamp();
    private uint _lastId;

    public NodeFacts Node { get; } = node.ToFacts();

    /// <summary>The seed of everything random on this node.</summary>
    public int Seed => node.Seed;

    /// <summary>Creates an empty map. Ids rise from 1 and are never used again.</summary>
    /// <exception cref="BpfException">EINVAL: the type does not come in these sizes.</exception>
    public SimulatedMap CreateMap(SimulatedMapSpec spec)
    {
        lock (_lock)
        {
            SimulatedMap map = new(spec.ToInfo(_lastId + 1), node);
            _maps.Add(++_lastId, map);
            return map;
        }
    }

    /// <summary>Removes a map with its pins; whoever has it open keeps it.</summary>
    public void RemoveMap(SimulatedMap map)
    {
        lock (_lock)
        {
            _maps.Remove(map.Id);
            foreach (string path in _pins.Where(pin => pin.Value == map).Select(pin => pin.Key).ToList())
            {
                _pins.Remove(path);
            }
        }
    }

    /// <summary>Pins a map at an absolute path, in place of what was pinned there.</summary>
    public void Pin(string path, SimulatedMap map)
    {
        lock (_lock)
        {
            _pins[path] = map;
        }
    }

    /// <summary>Takes a pin away.</summary>
    public void Unpin(string path)
    {
        lock (_lock)
        {
            _pins.Remove(path);
        }
    }

    /// <summary>Loads a program that uses a map; again for each map it uses.</summary>
    public void AddProgram(BpfProgram program, SimulatedMap map)
    {
        lock (_lock)
        {
            _programs.Add((map.Id, program));
        }
    }

    /// <summary>Lets a process hold a map open.</summary>
    public void AddOwner(OwnerProcess process, SimulatedMap map)
    {
        lock (_lock)
        {
            _owners.Add((map.Id, process));
        }
    }

    public IEnumerable<uint> MapIds(uint after)
    {
        for (uint? id = NextMapId(after); id is not null; id = NextMapId(id.Value))
        {
            yield return id.Value;
        }
    }

    public IBpfMap OpenById(uint id)
    {
        SimulatedMap? map;
        lock (_lock)
        {
            map = _maps.GetValueOrDefault(id);
        }

        return map?.Open() ?? throw new BpfException("bpf_map_get_fd_by_id", Errno.ENOENT, $"map {id}");
    }

    public IBpfMap OpenPinned(string path)
    {
        SimulatedMap? map;
        lock (_lock)
        {
            map = _pins.GetValueOrDefault(path);
        }

        return map?.Open() ?? throw new BpfException("bpf_obj_get", Errno.ENOENT, path);
    }

    /// <summary>Simulated maps have no BTF.</summary>
    public BtfBytes ReadBtf(uint id) => throw new BpfException("bpf_btf_get_fd_by_id", Errno.ENOENT, $"BTF {id}");

    public PinnedMaps ReadPins(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return PinnedMaps.From(_pins.Select(pin => (pin.Value.Id, pin.Key)));
        }
    }

    public MapOwners ReadOwners(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return MapOwners.From(_owners, complete: true);
        }
    }

    public MapPrograms ReadPrograms(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return MapPrograms.From(_programs);
        }
    }

    public NodeClocks ReadClocks()
    {
        ulong sinceBoot = Nanoseconds(time.GetElapsedTime(_boot));
        return new NodeClocks(Nanoseconds(time.GetUtcNow() - DateTimeOffset.UnixEpoch), sinceBoot, sinceBoot);
    }

    /// <summary>The clock's: simulated calls do nothing but compute.</summary>
    public TimeSpan ReadThreadTime() => time.GetElapsedTime(_boot);

    private static ulong Nanoseconds(TimeSpan span) => (ulong)span.Ticks * TimeSpan.NanosecondsPerTick;

    private uint? NextMapId(uint after)
    {
        lock (_lock)
        {
            for (uint id = after; id < _lastId;)
            {
                if (_maps.ContainsKey(++id))
                {
                    return id;
                }
            }

            return null;
        }
    }
}
