using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Interop;
using BpfRemote.Libbpf.Separation;

namespace BpfRemote.Libbpf;

/// <summary>The maps of the running kernel.</summary>
public sealed unsafe class KernelMapSource : IMapSource
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private readonly BatchSupport _batchSupport = new();

    private readonly IMapAccess _access;

    private KernelMapSource(NodeFacts node, IMapAccess access)
    {
        Node = node;
        _access = access;
    }

    /// <inheritdoc/>
    public NodeFacts Node { get; }

    /// <summary>Checks that this machine can do it, and reads what does not change while it is up.</summary>
    /// <exception cref="BpfUnavailableException">Not Linux, no eBPF in the kernel, or libbpf missing or older than 1.1.</exception>
    /// <param name="mode">Which maps there are.</param>
    /// <param name="broker">What finds and opens maps; null for this process itself.</param>
    public static KernelMapSource Create(MapAccess mode = MapAccess.Enumerate, BrokerConnection? broker = null)
    {
        IMapAccess access = broker ?? (IMapAccess)new DirectAccess();
        return Create(mode is MapAccess.Pins ? new PinsAccess(access) : access);
    }

    private static KernelMapSource Create(IMapAccess access)
    {
        NativePrerequisites.Check();
        uint[] possibleCpus = CpuList.Parse(File.ReadAllText("/sys/devices/system/cpu/possible"));
        int counted = LibbpfVersion.libbpf_num_possible_cpus();
        if (counted != possibleCpus.Length)
        {
            // Every per-CPU buffer is sized by this number: if it is in doubt, nothing may be read.
            throw new BpfUnavailableException(
                $"/sys/devices/system/cpu/possible names {possibleCpus.Length} CPUs, and libbpf counts {counted}");
        }

        NodeFacts node = new(
            Line("/proc/sys/kernel/hostname"),
            Line("/proc/sys/kernel/osrelease"),
            Guid.Parse(Line("/proc/sys/kernel/random/boot_id")),
            possibleCpus,
            Version());
        return new(node, access);

        static string Line(string path) => File.ReadAllText(path).TrimEnd('\n');

        // SAFETY: libbpf returns text of its own, zero-terminated, that lives as long as it is loaded. It reads "v1.1".
        static string Version() => Marshal.PtrToStringUTF8((nint)LibbpfVersion.libbpf_version_string())!.TrimStart('v');
    }

    /// <inheritdoc/>
    public IEnumerable<uint> MapIds(uint after) => _access.MapIds(after);

    /// <inheritdoc/>
    public IBpfMap OpenById(uint id) => Opened(_access.OpenMap(id), $"map {id}");

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The path is not absolute.</exception>
    public IBpfMap OpenPinned(string path)
    {
        if (!Path.IsPathRooted(path))
        {
            throw new ArgumentException($"not an absolute path: {path}", nameof(path));
        }

        return Opened(_access.OpenPin(path), path);
    }

    /// <inheritdoc/>
    public PinnedMaps ReadPins(CancellationToken cancellationToken) => _access.ReadPins(cancellationToken);

    /// <inheritdoc/>
    public MapOwners ReadOwners(CancellationToken cancellationToken) => _access.ReadOwners(cancellationToken);

    /// <inheritdoc/>
    public MapPrograms ReadPrograms(CancellationToken cancellationToken) => _access.ReadPrograms(cancellationToken);

    /// <inheritdoc/>
    public BtfBytes ReadBtf(uint id)
    {
        using SafeBpfHandle btf = _access.OpenBtf(id);
        return KernelBtf.Read(btf, $"BTF {id}");
    }

    /// <inheritdoc/>
    public NodeClocks ReadClocks() =>
        new(Clock(Libc.CLOCK_REALTIME), Clock(Libc.CLOCK_MONOTONIC), Clock(Libc.CLOCK_BOOTTIME));

    /// <inheritdoc/>
    public TimeSpan ReadThreadTime() => TimeSpan.FromTicks((long)(Clock(Libc.CLOCK_THREAD_CPUTIME_ID) / TimeSpan.NanosecondsPerTick));

    private static ulong Clock(int clockId)
    {
        timespec time;

        // SAFETY: libc writes one timespec.
        return Libc.clock_gettime(clockId, &time) == 0
            ? ((ulong)time.tv_sec * NanosecondsPerSecond) + (ulong)time.tv_nsec
            : throw new InvalidOperationException($"clock_gettime({clockId}) failed");
    }

    private KernelMap Opened(SafeBpfHandle handle, string subject)
    {
        try
        {
            MapInfo info = KernelMapInfo.Read(handle, subject);
            return new(handle, info, MapLayout.Of(info, Node.PossibleCpuIds.Count, _batchSupport.Of(handle, info)));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}
