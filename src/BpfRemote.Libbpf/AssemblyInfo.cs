using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

// The system's libraries only: a file beside the program is never taken for libbpf.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
