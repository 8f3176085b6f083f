using System.Runtime.InteropServices;

namespace BpfRemote.Libbpf.Lockdown;

/// <summary>A system call by its numbers (<c>asm/unistd_64.h</c>, <c>asm-generic/unistd.h</c>).</summary>
/// <param name="Name">Its name.</param>
/// <param name="X64">Its number on x86-64.</param>
/// <param name="Arm64">Its number on aarch64; null where that has none.</param>
internal readonly record struct SystemCall(string Name, uint X64, uint? Arm64)
{
    /// <summary>Calls that no process of the agent makes once it runs.</summary>
    internal static readonly SystemCall[] NeverMade =
    [
        // Other programs and processes.
        new("execve", 59, 221), new("execveat", 322, 281), new("fork", 57, null), new("vfork", 58, null),

        // What belongs to other processes.
        new("ptrace", 101, 117), new("process_vm_readv", 310, 270), new("process_vm_writev", 311, 271), new("kcmp", 312, 272),
        new("pidfd_getfd", 438), new("process_madvise", 440), new("process_mrelease", 448),

        // The view of the file system, and namespaces.
        new("mount", 165, 40), new("umount2", 166, 39), new("pivot_root", 155, 41), new("chroot", 161, 51), new("open_tree", 428),
        new("move_mount", 429), new("fsopen", 430), new("fsconfig", 431), new("fsmount", 432), new("fspick", 433),
        new("mount_setattr", 442), new("open_tree_attr", 467), new("unshare", 272, 97), new("setns", 308, 268),
        new("open_by_handle_at", 304, 265), new("mknod", 133, null), new("mknodat", 259, 33), new("fanotify_init", 300, 262),
        new("quotactl", 179, 60), new("quotactl_fd", 443),

        // The kernel itself.
        new("init_module", 175, 105), new("finit_module", 313, 273), new("delete_module", 176, 106), new("kexec_load", 246, 104),
        new("kexec_file_load", 320, 294), new("reboot", 169, 142), new("swapon", 167, 224), new("swapoff", 168, 225),
        new("acct", 163, 89), new("syslog", 103, 116), new("sethostname", 170, 161), new("setdomainname", 171, 162),
        new("settimeofday", 164, 170), new("clock_settime", 227, 112), new("adjtimex", 159, 171), new("clock_adjtime", 305, 266),
        new("iopl", 172, null), new("ioperm", 173, null), new("modify_ldt", 154, null),

        // Large interfaces of the kernel with a history; io_uring would pass by this filter too.
        new("perf_event_open", 298, 241), new("io_uring_setup", 425), new("io_uring_enter", 426), new("io_uring_register", 427),
        new("userfaultfd", 323, 282), new("keyctl", 250, 219), new("add_key", 248, 217), new("request_key", 249, 218),

        // Who the process is.
        new("setuid", 105, 146), new("setgid", 106, 144), new("setreuid", 113, 145), new("setregid", 114, 143),
        new("setgroups", 116, 159), new("setresuid", 117, 147), new("setresgid", 119, 149), new("setfsuid", 122, 151),
        new("setfsgid", 123, 152), new("capset", 126, 91), new("personality", 135, 92), new("lsm_set_self_attr", 460),
    ];

    /// <summary>A call that is new enough to have one number everywhere.</summary>
    internal SystemCall(string name, uint number)
        : this(name, number, number)
    {
    }

    /// <summary>The number on an architecture; null where that lacks the call.</summary>
    internal uint? On(Architecture architecture) => architecture == Architecture.X64 ? X64 : Arm64;
}
