using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf;

/// <summary>The maps of the running kernel.</summary>
public sealed unsafe class KernelMapSource : IMapSource
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private readonly BatchSupport _batchSupport = new();

    private KernelMapSource(NodeFacts node) => Node = node;

    /// <inheritdoc/>
    public NodeFacts Node { get; }

    /// <summary>Checks that this machine can do it, and reads what does not change while it is up.</summary>
    /// <exception cref="BpfUnavailableException">Not Linux, no eBPF in the kernel, or libbpf missing or older than 1.1.</exception>
    public static KernelMapSource Create()
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

        return new(new(
            Line("/proc/sys/kernel/hostname"),
            Line("/proc/sys/kernel/osrelease"),
            Guid.Parse(Line("/proc/sys/kernel/random/boot_id")),
            possibleCpus,
            Version()));

        static string Line(string path) => File.ReadAllText(path).TrimEnd('\n');

        // SAFETY: libbpf returns text of its own, zero-terminated, that lives as long as it is loaded. It reads "v1.1".
        static string Version() => Marshal.PtrToStringUTF8((nint)LibbpfVersion.libbpf_version_string())!.TrimStart('v');
    }

    /// <inheritdoc/>
    public uint? NextMapId(uint after)
    {
        uint next;

        // SAFETY: the kernel writes one id.
        Errno error = (Errno)(-BpfMap.bpf_map_get_next_id(after, &next));
        return error switch
        {
            Errno.None => next,
            Errno.ENOENT => null,
            _ => throw new BpfException(nameof(BpfMap.bpf_map_get_next_id), error, $"map {after}"),
        };
    }

    /// <inheritdoc/>
    public IBpfMap OpenById(uint id)
    {
        string subject = $"map {id}";
        bpf_get_fd_by_id_opts options = new() { sz = (nuint)sizeof(bpf_get_fd_by_id_opts), open_flags = BpfObj.BPF_F_RDONLY };

        // SAFETY: libbpf reads options.sz bytes during the call and keeps no pointer.
        int result = BpfMap.bpf_map_get_fd_by_id_opts(id, &options);
        return Opened(SafeBpfHandle.Wrap(result, nameof(BpfMap.bpf_map_get_fd_by_id_opts), subject), subject);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The path is not absolute.</exception>
    public IBpfMap OpenPinned(string path)
    {
        if (!Path.IsPathRooted(path))
        {
            throw new ArgumentException($"not an absolute path: {path}", nameof(path));
        }

        return Opened(Bpffs.Open(path), path);
    }

    /// <inheritdoc/>
    public PinnedMaps ReadPins(CancellationToken cancellationToken) => Bpffs.ReadPins(cancellationToken);

    /// <inheritdoc/>
    public MapOwners ReadOwners(CancellationToken cancellationToken) =>
        ProcessWalk.ReadOwners(Environment.ProcessId, cancellationToken);

    /// <inheritdoc/>
    public MapPrograms ReadPrograms(CancellationToken cancellationToken) => ProgramWalk.ReadPrograms(cancellationToken);

    /// <inheritdoc/>
    public BtfBytes ReadBtf(uint id) => KernelBtf.Read(id);

    /// <inheritdoc/>
    public NodeClocks ReadClocks() =>
        new(Clock(Libc.CLOCK_REALTIME), Clock(Libc.CLOCK_MONOTONIC), Clock(Libc.CLOCK_BOOTTIME));

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
