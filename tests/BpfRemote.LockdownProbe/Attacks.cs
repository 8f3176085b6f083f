namespace BpfRemote.LockdownProbe;

/// <summary>Everything tried. Numbers are those of x86-64, written here anew: a mistake in the agent's own list must show.</summary>
internal static class Attacks
{
    private const nint SysBpf = 321;
    private const nint SysClone = 56;
    private const nint SysSocket = 41;
    private const nint SysUnshare = 272;
    private const nint X32 = 0x4000_0000;
    private const nint Nowhere = 1; // a pointer that leads to EFAULT

    /// <summary>More than the newest kernel has.</summary>
    private const int BpfCommands = 48;

    /// <summary>The kernel ignores these bits of a bpf command.</summary>
    private static readonly nint High = nint.CreateChecked(1L << 32);

    /// <summary>With this flag and without CLONE_VM the kernel makes no process (EINVAL).</summary>
    private const nint CLONE_SIGHAND = 0x800;

    /// <summary>No flag of unshare, which makes nothing then (EINVAL).</summary>
    private const nint NoFlag = 1;

    private static readonly (string Name, nint Flag)[] Namespaces =
    [
        ("mount", 0x0002_0000), ("cgroup", 0x0200_0000), ("uts", 0x0400_0000), ("ipc", 0x0800_0000), ("user", 0x1000_0000),
        ("pid", 0x2000_0000), ("net", 0x4000_0000),
    ];

    public static IEnumerable<Attack> All =>
    [
        .. Enumerable.Range(0, BpfCommands).Select(command => new Attack($"bpf {command}", SysBpf, command)),
        .. Enumerable.Range(0, BpfCommands).Select(command => new Attack($"bpf {command} high", SysBpf, High | command)),
        .. Namespaces.Select(space => new Attack($"unshare {space.Name}", SysUnshare, space.Flag | NoFlag)),
        .. Namespaces.Select(space => new Attack($"clone {space.Name}", SysClone, space.Flag | CLONE_SIGHAND)),
        .. new (string Name, int Family)[] { ("unix", 1), ("inet", 2), ("inet6", 10), ("netlink", 16), ("packet", 17), ("alg", 38), ("vsock", 40) }
            .Select(socket => new Attack($"socket {socket.Name}", SysSocket, socket.Family, 2)),
        .. Calls,
        .. new[] { SysBpf, 520, 59, 41, 56 }.Select(number => new Attack($"x32 {number}", X32 | number)),
    ];

    private static IEnumerable<Attack> Calls =>
    [
        new("unshare time", SysUnshare, 0x80 | NoFlag), // clone takes the bit for a signal
        new("clone process", SysClone, CLONE_SIGHAND),
        new("clone3", 435),
        new("execve", 59), new("execveat", 322, -1),
        new("ptrace", 101, 16, int.MaxValue), new("process_vm_readv", 310, -1, 0, 0, 0), new("process_vm_writev", 311, -1, 0, 0, 0),
        new("pidfd_getfd", 438, -1), new("kcmp", 312, int.MaxValue, int.MaxValue, 99),
        new("mount", 165, Nowhere, Nowhere), new("umount2", 166, Nowhere), new("pivot_root", 155, Nowhere, Nowhere),
        new("chroot", 161, Nowhere), new("open_tree", 428, -1, Nowhere), new("move_mount", 429, -1, Nowhere, -1, Nowhere),
        new("fsopen", 430, Nowhere), new("fsconfig", 431, -1), new("fsmount", 432, -1), new("fspick", 433, -1, Nowhere),
        new("mount_setattr", 442, -1, Nowhere, 0, Nowhere), new("setns", 308, -1), new("open_by_handle_at", 304, -1, Nowhere),
        new("mknod", 133, Nowhere), new("mknodat", 259, -1, Nowhere), new("fanotify_init", 300, -1),
        new("init_module", 175, Nowhere, 8, Nowhere), new("finit_module", 313, -1, Nowhere), new("delete_module", 176, Nowhere),
        new("kexec_load", 246, 0, int.MaxValue), new("kexec_file_load", 320, -1, -1), new("reboot", 169), new("swapon", 167, Nowhere),
        new("swapoff", 168, Nowhere), new("acct", 163, Nowhere), new("syslog", 103, 99), new("sethostname", 170, 0, -1),
        new("setdomainname", 171, 0, -1), new("settimeofday", 164, Nowhere), new("clock_settime", 227, -1), new("adjtimex", 159),
        new("clock_adjtime", 305, 0), new("iopl", 172, 99), new("ioperm", 173, -1, 1, 1),
        new("perf_event_open", 298, Nowhere), new("io_uring_setup", 425, 1, Nowhere), new("io_uring_enter", 426, -1),
        new("io_uring_register", 427, -1), new("userfaultfd", 323, 1 << 30), new("keyctl", 250, 99), new("add_key", 248, Nowhere),
        new("request_key", 249, Nowhere),
        new("setuid", 105, -1), new("setgid", 106, -1), new("setreuid", 113, -1, -1), new("setregid", 114, -1, -1),
        new("setgroups", 116, -1), new("setresuid", 117, -1, -1, -1), new("setresgid", 119, -1, -1, -1), new("setfsuid", 122, -1),
        new("setfsgid", 123, -1), new("capset", 126), new("personality", 135, -1),
    ];
}
