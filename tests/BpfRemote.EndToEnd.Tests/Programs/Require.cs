using System.Reflection;
using System.Runtime.InteropServices;

namespace BpfRemote.EndToEnd.Programs;

/// <summary>What a test needs of the machine. Where it is missing the test is skipped, and says so.</summary>
internal static class Require
{
    /// <summary>Real eBPF maps: Linux, root and libbpf.</summary>
    public static void Kernel()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "eBPF maps exist on Linux only");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "making eBPF maps takes root");
        Assert.SkipUnless(NativeLibrary.TryLoad("libbpf.so.1", out _), "libbpf.so.1 is not installed");
    }

    /// <summary>A program on the path of programs.</summary>
    /// <returns>The program's full path.</returns>
    public static string Program(string name)
    {
        string? path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin")
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"{name} is not installed");
        return path;
    }

    /// <summary>A path that the build wrote into this assembly.</summary>
    public static string BuiltPath(string name) => typeof(Require).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == name).Value!;
}
