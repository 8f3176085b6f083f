using System.Diagnostics;
using System.Text.Json;
using BpfRemote.Libbpf;

namespace BpfRemote.Btf.Tests;

/// <summary>Holds what is written here to what bpftool prints for the same bytes: its entries carry both.</summary>
internal static class Bpftool
{
    public static void Require()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root on Linux, to make maps");
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("PATH")!.Split(':').Append("/usr/sbin").Any(path => File.Exists($"{path}/bpftool")),
            "needs bpftool");
    }

    // In an entry's object, in the array of them.
    private const int FormattedDepth = 2;

    /// <summary>Dumps a map and asserts that every entry is written alike, byte for byte, on one line and indented.</summary>
    /// <returns>How many entries there were.</returns>
    public static int AssertAlike(MapInfo map)
    {
        AssertAlike(map, indented: true);
        return AssertAlike(map, indented: false);
    }

    private static int AssertAlike(MapInfo map, bool indented)
    {
        BtfTypes types = BtfTypes.Parse(KernelTypes.Read(map.BtfId));
        BtfValueLayout? key = map.BtfKeyTypeId == 0 ? null : types.Layout(map.BtfKeyTypeId);
        BtfValueLayout value = types.Layout(map.BtfValueTypeId);
        JsonElement dump = Dump(map.Id, indented ? "-p" : "-j");
        foreach (JsonElement entry in dump.EnumerateArray())
        {
            if (!entry.TryGetProperty("formatted", out JsonElement formatted))
            {
                // Its owner deleted it after bpftool had found the key.
                Assert.True(entry.GetProperty("value").TryGetProperty("error", out _), entry.GetRawText());
                continue;
            }

            string expected = formatted.GetRawText();
            byte[] keyBytes = Bytes(entry.GetProperty("key"));
            string written = entry.TryGetProperty("values", out JsonElement values)
                ? Rendered.Entry(
                    BtfJsonEntryFormat.PerCpu(
                        key, value, [.. values.EnumerateArray().Select(cpu => cpu.GetProperty("cpu").GetUInt32())], indented, FormattedDepth),
                    keyBytes,
                    [.. values.EnumerateArray().SelectMany(cpu => Block(cpu.GetProperty("value")))])
                : Rendered.Entry(BtfJsonEntryFormat.Single(key, value, indented, FormattedDepth), keyBytes, Bytes(entry.GetProperty("value")));
            Assert.Equal(expected, written);
        }

        return dump.GetArrayLength();
    }

    private static JsonElement Dump(uint id, string style)
    {
        using Process bpftool = Process.Start(
            new ProcessStartInfo("bpftool", [style, "map", "dump", "id", $"{id}"]) { RedirectStandardOutput = true })!;
        string output = bpftool.StandardOutput.ReadToEnd();
        bpftool.WaitForExit();
        using JsonDocument document = JsonDocument.Parse(output);
        return document.RootElement.Clone();
    }

    private static byte[] Bytes(JsonElement hex) =>
        [.. hex.EnumerateArray().Select(octet => Convert.ToByte(octet.GetString(), 16))];

    private static byte[] Block(JsonElement hex)
    {
        byte[] bytes = Bytes(hex);
        Array.Resize(ref bytes, (bytes.Length + 7) / 8 * 8);
        return bytes;
    }
}
