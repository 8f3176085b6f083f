namespace BpfRemote.Btf.Tests;

/// <summary>The types of the running kernel.</summary>
internal static class KernelBtf
{
    private const string Path = "/sys/kernel/btf/vmlinux";

    public static byte[] Read()
    {
        Assert.SkipUnless(File.Exists(Path), "needs a kernel with BTF");
        return File.ReadAllBytes(Path);
    }
}
