using System.Text.Json;
using BpfRemote.Libbpf;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.DemoMaps.Tests;

public sealed class BtfBuilderTests
{
    public BtfBuilderTests() => Bpftool.Require();

    [Fact]
    public void A_struct_is_laid_out_as_a_C_compiler_does()
    {
        using BtfBuilder btf = new();
        uint u8 = btf.Int("unsigned char", 1);
        uint u16 = btf.Int("unsigned short", 2);
        uint u64 = btf.Typedef("__u64", btf.Int("unsigned long long", 8));
        uint state = btf.Enum("state", "OFF", "ON");
        uint inner = btf.Struct("inner", ("a", u8), ("b", u16), ("c", u8));
        uint outer = btf.Struct(
            "outer", ("first", u8), ("second", u64), ("third", inner), ("fourth", state), ("fifth", btf.Array(u8, 3, u64)));

        using SafeFileHandle loaded = btf.Load();

        Dictionary<uint, JsonElement> types = Bpftool.Run("btf", "dump", "id", BtfIdOf(loaded))
            .GetProperty("types").EnumerateArray().ToDictionary(type => type.GetProperty("id").GetUInt32());
        Assert.Equal("0 16 32 in 6 bytes", LayoutOf(types[inner]));
        Assert.Equal("0 64 128 192 224 in 32 bytes", LayoutOf(types[outer]));
    }

    [Fact]
    public void What_the_kernel_refuses_is_said()
    {
        using BtfBuilder btf = new();
        btf.Struct("not a name", ("field", btf.Int("int", 4, BtfIntEncoding.Signed)));

        BpfException refused = Assert.Throws<BpfException>(() => btf.Load());

        Assert.Equal("btf__load_into_kernel", refused.Operation);
        Assert.Equal(Errno.EINVAL, refused.Errno);
    }

    [Fact]
    public void What_libbpf_refuses_is_said()
    {
        using BtfBuilder btf = new();

        BpfException refused = Assert.Throws<BpfException>(() => btf.Int("u24", 3));

        Assert.Equal("btf__add_int of u24: EINVAL", refused.Message);
    }

    private static string BtfIdOf(SafeFileHandle btf) =>
        File.ReadLines($"/proc/self/fdinfo/{btf.DangerousGetHandle()}")
            .Single(line => line.StartsWith("btf_id:", StringComparison.Ordinal))["btf_id:".Length..]
            .Trim();

    private static string LayoutOf(JsonElement type) =>
        $"{string.Join(' ', type.GetProperty("members").EnumerateArray().Select(member => member.GetProperty("bits_offset")))}"
        + $" in {type.GetProperty("size")} bytes";
}
