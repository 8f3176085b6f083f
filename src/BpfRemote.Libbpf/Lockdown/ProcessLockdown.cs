using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf.Lockdown;

/// <summary>Gives up, for this process and for good, what it has no use for.</summary>
public static unsafe class ProcessLockdown
{
    private const int SIGTERM = 15;

    private static readonly SystemCall SeccompCall = new("seccomp", 317, 277);

    /// <summary>Locks the whole process down: no new privileges, no core dumps and no tracing by others of its user, and a filter of
    /// system calls on every thread, also on those that start later. There is no way back.</summary>
    /// <param name="duties">What the process is there to do from now on.</param>
    /// <exception cref="BpfUnavailableException">The kernel refuses, or no filter is written for this architecture.</exception>
    public static void Apply(Duties duties)
    {
        Architecture architecture = RuntimeInformation.ProcessArchitecture;
        if (!SystemCallFilter.IsWrittenFor(architecture))
        {
            throw new BpfUnavailableException(
                $"the lockdown is written for x64 and arm64, and this is {architecture}; --no-lockdown does without");
        }

        Require(Seccomp.prctl(Seccomp.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)");
        Require(Seccomp.prctl(Seccomp.PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl(PR_SET_DUMPABLE)");
        sock_filter[] code = SystemCallFilter.Write(duties, architecture);
        fixed (sock_filter* instructions = code)
        {
            // SAFETY: the kernel copies the pinned array during the call.
            sock_fprog filter = new() { len = checked((ushort)code.Length), filter = instructions };
            Require(
                Seccomp.seccomp(
                    (nint)SeccompCall.On(architecture)!.Value,
                    Seccomp.SECCOMP_SET_MODE_FILTER,
                    Seccomp.SECCOMP_FILTER_FLAG_TSYNC,
                    &filter),
                "seccomp(SECCOMP_FILTER_FLAG_TSYNC)");
        }
    }

    /// <summary>Leaves the calling thread, and those that it starts from now on, no capability but these.</summary>
    /// <remarks>Capabilities are a thread's: the runtime's own threads keep what the process was started with.</remarks>
    /// <exception cref="BpfUnavailableException">The kernel refuses.</exception>
    public static void KeepCapabilities(CapabilitySet kept)
    {
        CapabilitySet held = kept & CapabilitySet.OfThisThread();
        cap_user_header header = new() { version = Seccomp.LINUX_CAPABILITY_VERSION_3 };
        cap_user_data data = new()
        {
            effective = (uint)held.Bits,
            permitted = (uint)held.Bits,
            effective_high = (uint)(held.Bits >> 32),
            permitted_high = (uint)(held.Bits >> 32),
        };

        // SAFETY: the kernel reads both during the call.
        Require(Seccomp.capset(&header, &data), "capset");
    }

    /// <summary>Has the kernel send this process SIGTERM when the one that started it ends.</summary>
    /// <exception cref="BpfUnavailableException">The kernel refuses.</exception>
    public static void EndWithParent() =>
        Require(Seccomp.prctl(Seccomp.PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)");

    private static void Require(nint result, string operation)
    {
        if (result < 0)
        {
            throw new BpfUnavailableException($"{operation}: {((Errno)Marshal.GetLastPInvokeError()).Name()}; --no-lockdown does without");
        }

        if (result > 0)
        {
            throw new BpfUnavailableException($"{operation}: thread {result} has a filter of its own; --no-lockdown does without");
        }
    }
}
