using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf.Lockdown;

/// <summary>What each process of the agent may ask of the kernel, as a seccomp filter.</summary>
/// <remarks>
/// bpf(2) is a list of what is allowed, for it is where the power of this agent lies. The rest is a list of what is refused: which
/// harmless calls a .NET runtime makes is its own affair and changes with each release, and a list that lacks one kills an agent
/// on some node some day. A call newer than this code does not exist, which is what programs are ready for.
/// </remarks>
internal static class SystemCallFilter
{
    /// <summary>file_setattr, of Linux 6.17: the newest call that was judged when the list was written.</summary>
    private const uint NewestKnownCall = 469;

    // struct seccomp_data, linux/seccomp.h. Arguments are 8 bytes, little-endian on both architectures.
    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;
    private const uint FirstArgumentOffset = 16;

    /// <summary>x32 calls carry this bit and the audit architecture of x86-64.</summary>
    private const uint X32Bit = 0x4000_0000;

    private const uint CLONE_THREAD = 0x0001_0000;

    /// <summary>CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.</summary>
    private const uint NewNamespaces = 0x7e02_0000;

    private const uint AF_UNIX = 1;
    private const uint AF_INET = 2;
    private const uint AF_INET6 = 10;

    private const uint Allow = Seccomp.SECCOMP_RET_ALLOW;
    private const uint Refuse = Seccomp.SECCOMP_RET_ERRNO | (uint)Errno.EPERM;
    private const uint DoesNotExist = Seccomp.SECCOMP_RET_ERRNO | (uint)Errno.ENOSYS;

    private static readonly SystemCall BpfCall = new("bpf", 321, 280);
    private static readonly SystemCall CloneCall = new("clone", 56, 220);
    private static readonly SystemCall Clone3Call = new("clone3", 435);
    private static readonly SystemCall SocketCall = new("socket", 41, 198);

    private static readonly bpf_cmd[] ReadMaps =
        [bpf_cmd.BPF_MAP_LOOKUP_BATCH, bpf_cmd.BPF_MAP_LOOKUP_ELEM, bpf_cmd.BPF_MAP_GET_NEXT_KEY];

    private static readonly bpf_cmd[] OpenPins = [bpf_cmd.BPF_OBJ_GET];

    private static readonly bpf_cmd[] OpenIds =
    [
        bpf_cmd.BPF_MAP_GET_NEXT_ID, bpf_cmd.BPF_MAP_GET_FD_BY_ID, bpf_cmd.BPF_BTF_GET_FD_BY_ID,
        bpf_cmd.BPF_PROG_GET_NEXT_ID, bpf_cmd.BPF_PROG_GET_FD_BY_ID,
    ];

    /// <summary>Whether filters are written for an architecture.</summary>
    internal static bool IsWrittenFor(Architecture architecture) => architecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>Writes the filter of a process.</summary>
    /// <param name="duties">What the process is there to do.</param>
    /// <param name="architecture">x64 or arm64.</param>
    internal static sock_filter[] Write(Duties duties, Architecture architecture)
    {
        FilterAssembler filter = new();
        filter.Load(ArchitectureOffset);
        filter.UnlessEqual(
            architecture == Architecture.X64 ? Seccomp.AUDIT_ARCH_X86_64 : Seccomp.AUDIT_ARCH_AARCH64, Refuse);

        filter.Load(NumberOffset);
        if (architecture == Architecture.X64)
        {
            filter.WhenAtLeast(X32Bit, Refuse);
        }

        filter.WhenEqual(BpfCall.On(architecture)!.Value, call => WriteBpf(call, duties));
        filter.WhenEqual(CloneCall.On(architecture)!.Value, WriteClone);
        filter.WhenEqual(SocketCall.On(architecture)!.Value, call => WriteSocket(call, duties));

        // Its flags lie in memory, out of a filter's sight. libc goes on with clone.
        filter.WhenEqual(Clone3Call.On(architecture)!.Value, DoesNotExist);
        foreach (SystemCall call in SystemCall.NeverMade)
        {
            if (call.On(architecture) is { } number)
            {
                filter.WhenEqual(number, Refuse);
            }
        }

        filter.WhenAtLeast(NewestKnownCall + 1, DoesNotExist);
        filter.Return(Allow);
        return filter.Code;
    }

    /// <summary>The commands of bpf(2) that duties take. None of them writes; what opens, opens for reading.</summary>
    private static bpf_cmd[] BpfCommands(Duties duties) =>
    [
        bpf_cmd.BPF_OBJ_GET_INFO_BY_FD,
        .. duties.HasFlag(Duties.ReadMaps) ? ReadMaps : [],
        .. duties.HasFlag(Duties.OpenPins) ? OpenPins : [],
        .. duties.HasFlag(Duties.OpenIds) ? OpenIds : [],
    ];

    private static void WriteBpf(FilterAssembler call, Duties duties)
    {
        // The kernel ignores the upper half of the command, and so does the filter.
        call.Load(FirstArgumentOffset);
        foreach (bpf_cmd command in BpfCommands(duties))
        {
            call.WhenEqual((uint)command, Allow);
        }

        call.Return(Refuse);
    }

    /// <summary>Threads, and neither processes nor namespaces.</summary>
    private static void WriteClone(FilterAssembler call)
    {
        call.Load(FirstArgumentOffset);
        call.WhenAnyBit(NewNamespaces, Refuse);
        call.WhenAnyBit(CLONE_THREAD, Allow);
        call.Return(Refuse);
    }

    private static void WriteSocket(FilterAssembler call, Duties duties)
    {
        if (duties.HasFlag(Duties.Serve))
        {
            call.Load(FirstArgumentOffset);
            foreach (uint family in (uint[])[AF_UNIX, AF_INET, AF_INET6])
            {
                call.WhenEqual(family, Allow);
            }
        }

        call.Return(Refuse);
    }
}
