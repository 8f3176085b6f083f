using System.Diagnostics;
using System.Text.Json;

namespace BpfRemote.DemoMaps.Tests;

/// <summary>The other side: what bpftool sees of the maps made here.</summary>
internal static class Bpftool
{
    public static void Require()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root on Linux, to make maps");
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("PATH")!.Split(':').Append("/usr/sbin").Any(path => File.Exists($"{path}/bpftool")),
            "needs bpftool");
    }

    /// <summary>Keys and values of a map, in its BTF types.</summary>
    public static List<JsonElement> Dump(uint id) =>
        [.. Run("map", "dump", "id", $"{id}").EnumerateArray().Select(entry => entry.GetProperty("formatted"))];

    /// <summary>Runs bpftool and gives its JSON.</summary>
    public static JsonElement Run(params string[] arguments)
    {
        using Process bpftool = Process.Start(
            new ProcessStartInfo("bpftool", ["-j", .. arguments]) { RedirectStandardOutput = true })!;
        string output = bpftool.StandardOutput.ReadToEnd();
        bpftool.WaitForExit();
        using JsonDocument document = JsonDocument.Parse(output);
        return document.RootElement.Clone();
    }
}
