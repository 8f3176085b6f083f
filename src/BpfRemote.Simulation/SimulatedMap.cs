using BpfRemote.Libbpf;
using BpfRemote.Simulation.Elements;

namespace BpfRemote.Simulation;

/// <summary>A map of the simulated kernel, seen by whoever writes to it. Safe for concurrent use.</summary>
public sealed class SimulatedMap
{
    private readonly Lock _lock = new();
    private readonly MapElements _elements;
    private readonly ErrorSchedule _errors = new();
    private readonly bool _supportsBatch;

    internal SimulatedMap(MapInfo info, SimulatedNode node)
    {
        Info = info;
        _supportsBatch = node.SupportsBatch(info.Type);
        Layout = MapLayout.Of(info, node.PossibleCpuIds.Count, _supportsBatch);
        _elements = MapElements.Create(info, node);
    }

    public uint Id => Info.Id;

    public MapInfo Info { get; private set; }

    public MapLayout Layout { get; }

    /// <summary>Called before each native call on this map, outside its lock: the moment for another writer to step in.</summary>
    public Action<NativeCall>? BetweenCalls { get; set; }

    /// <summary>Makes coming native calls fail.</summary>
    /// <param name="call">Which calls.</param>
    /// <param name="error">What they return. A batch call leaves behind what the kernel leaves for that error: EINTR, EBUSY,
    /// EDEADLK, ETIMEDOUT and ENOMEM about half a page, which counts; ENOSPC a cursor at the next bucket; EFAULT a count of 0
    /// and entries in the buffers that do not count; others nothing.</param>
    /// <param name="onCall">The first call to fail, counted from now: 1 is the next.</param>
    /// <param name="times">How many calls fail, one after the other.</param>
    public void InjectErrors(NativeCall call, Errno error, int onCall = 1, int times = 1)
    {
        lock (_lock)
        {
            _errors.Add(call, error, onCall, times);
        }
    }

    /// <summary>Sets a value, or pushes one where <paramref name="key"/> is empty (queue, stack).</summary>
    /// <param name="key">KeySize bytes.</param>
    /// <param name="value">ValueSize bytes; for per-CPU types a block of round_up(ValueSize, 8) for each possible CPU, whose
    /// padding is ignored: padding never reads as zero.</param>
    /// <returns>E2BIG or ENOSPC where the map is full, as the type has it; EPERM where it is frozen.</returns>
    public Errno Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        RequireKey(key);
        lock (_lock)
        {
            return Info.Frozen ? Errno.EPERM : _elements.Update(key, value);
        }
    }

    /// <summary>Deletes an entry, or takes out the next one where <paramref name="key"/> is empty (queue, stack).</summary>
    /// <returns>ENOENT where there is none; EINVAL for array and percpu_array, whose entries are always there.</returns>
    public Errno Delete(ReadOnlySpan<byte> key)
    {
        RequireKey(key);
        lock (_lock)
        {
            return Info.Frozen ? Errno.EPERM : _elements.Delete(key);
        }
    }

    /// <summary>Ends all updates and deletes, as BPF_MAP_FREEZE does.</summary>
    public void Freeze()
    {
        lock (_lock)
        {
            Info = Info with { Frozen = true };
        }
    }

    internal IBpfMap Open()
    {
        Errno error = Enter(NativeCall.Open);
        return error == Errno.None
            ? new SimulatedMapHandle(this)
            : throw new BpfException("bpf_map_get_fd_by_id", error, $"map {Id}");
    }

    internal BatchResult LookupBatch(MapCursor cursor, Span<byte> keys, Span<byte> values, int count)
    {
        Errno error = Enter(NativeCall.LookupBatch);
        lock (_lock)
        {
            return (_supportsBatch, error) switch
            {
                (false, _) => new BatchResult(0, Errno.ENOTSUPP),
                (true, Errno.None) => _elements.LookupBatch(cursor, keys, values, count),
                (true, _) => FailingBatch.Read(error, _elements, cursor, keys, values, count),
            };
        }
    }

    internal Errno LookupElement(ReadOnlySpan<byte> key, Span<byte> value)
    {
        Errno error = Enter(NativeCall.LookupElement);
        lock (_lock)
        {
            return error != Errno.None ? error
                : Layout.ValueError != Errno.None ? Layout.ValueError
                : _elements.Lookup(key, value);
        }
    }

    internal Errno GetNextKey(ReadOnlySpan<byte> key, Span<byte> nextKey)
    {
        Errno error = Enter(NativeCall.GetNextKey);
        lock (_lock)
        {
            return error == Errno.None ? _elements.NextKey(key, nextKey) : error;
        }
    }

    internal void RequireKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != Info.KeySize)
        {
            throw new ArgumentException($"a key of map {Id} has {Info.KeySize} bytes, not {key.Length}", nameof(key));
        }
    }

    private Errno Enter(NativeCall call)
    {
        BetweenCalls?.Invoke(call);
        lock (_lock)
        {
            return _errors.OnCall(call);
        }
    }
}
