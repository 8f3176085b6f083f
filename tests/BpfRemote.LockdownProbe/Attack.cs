using System.Runtime.InteropServices;

[assembly: System.Runtime.CompilerServices.DisableRuntimeMarshalling]

namespace BpfRemote.LockdownProbe;

/// <summary>One system call that a process which was taken over might make.</summary>
/// <remarks>The arguments are such that nothing happens to the machine where the call is let through.</remarks>
internal sealed partial record Attack(string Name, nint Number, nint First = 0, nint Second = 0, nint Third = 0, nint Fourth = 0)
{
    /// <summary>Makes the call.</summary>
    /// <returns>0 where it succeeded, else errno.</returns>
    public int Run() => syscall(Number, First, Second, Third, Fourth, 0) >= 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint syscall(nint number, nint first, nint second, nint third, nint fourth, nint fifth);
}
