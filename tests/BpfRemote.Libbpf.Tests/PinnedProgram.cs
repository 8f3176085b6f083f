using System.Runtime.InteropServices;
using BpfRemote.DemoMaps;
using Xunit;

namespace BpfRemote.Libbpf.Tests;

/// <summary>Pins that are not maps, to be told from maps.</summary>
internal static partial class PinnedProgram
{
    public static void Pin(ReturnZeroProgram program, string path) => Assert.Equal(0, bpf_obj_pin(program.Handle, path));

    [LibraryImport("libbpf.so.1", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int bpf_obj_pin(SafeHandle fd, string pathname);
}
