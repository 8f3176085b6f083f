using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf;

/// <summary>What the machine must have, checked once before the first use of libbpf.</summary>
internal static unsafe class NativePrerequisites
{
    /// <summary>The newest call in use: libbpf has it from 1.1.0 on.</summary>
    private const string NewestCall = nameof(BpfMap.bpf_map_get_fd_by_id_opts);

    private const string HowToInstall =
        "install version 1.1 or later: apt install libbpf1 (Debian, Ubuntu), dnf install libbpf (Fedora, RHEL), "
        + "apk add libbpf (Alpine)";

    /// <exception cref="BpfUnavailableException">Something is missing; the message says what to do.</exception>
    internal static void Check()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new BpfUnavailableException($"eBPF maps exist on Linux only, and this is {RuntimeInformation.OSDescription}");
        }

        RequireLibbpf(LibbpfVersion.Library);

        // SAFETY: NULL in place of a function is documented, and means silence.
        LibbpfVersion.libbpf_set_print(0);
        RequireBpfSystemCall();
    }

    internal static void RequireLibbpf(string library)
    {
        if (!NativeLibrary.TryLoad(
                library, typeof(NativePrerequisites).Assembly, DllImportSearchPath.SafeDirectories, out nint libbpf))
        {
            throw new BpfUnavailableException($"{library} is not installed; {HowToInstall}");
        }

        if (!NativeLibrary.TryGetExport(libbpf, NewestCall, out _))
        {
            throw new BpfUnavailableException($"{library} is too old (it lacks {NewestCall}); {HowToInstall}");
        }
    }

    private static void RequireBpfSystemCall()
    {
        uint id;

        // SAFETY: the kernel writes one id.
        if ((Errno)(-BpfMap.bpf_map_get_next_id(0, &id)) == Errno.ENOSYS)
        {
            throw new BpfUnavailableException("this kernel has no eBPF (CONFIG_BPF_SYSCALL is off)");
        }
    }
}
