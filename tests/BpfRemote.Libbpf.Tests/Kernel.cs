using BpfRemote.DemoMaps;
using Xunit;

namespace BpfRemote.Libbpf.Tests;

/// <summary>The kernel that the tests run on; they skip where it may not be used.</summary>
internal static class Kernel
{
    private static readonly Lazy<KernelMapSource> Instance = new(() => KernelMapSource.Create());

    public static KernelMapSource Source
    {
        get
        {
            Assert.SkipUnless(
                OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "maps can be created by root on Linux only");
            return Instance.Value;
        }
    }

    /// <summary>A map of 4-byte keys 0 … count-1, each with 8 bytes of value.</summary>
    public static WritableMap Filled(BpfMapType type, uint maxEntries, int count)
    {
        _ = Source;
        WritableMap map = WritableMap.Create(
            new() { Type = type, Name = "fence_test", KeySize = 4, ValueSize = 8, MaxEntries = maxEntries });
        for (int i = 0; i < count; i++)
        {
            map.Update(Key(i), Value(map, i));
        }

        return map;
    }

    public static byte[] Key(int i) => BitConverter.GetBytes(i);

    /// <summary>Eight bytes that tell the key, once for each CPU where there are several.</summary>
    public static byte[] Value(WritableMap map, int i) =>
        [.. Enumerable.Repeat(BitConverter.GetBytes(i * 3L), map.ValueStride / sizeof(long)).SelectMany(bytes => bytes)];
}
