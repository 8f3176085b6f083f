using System.Diagnostics;

namespace BpfRemote.Btf.Tests;

/// <summary>What a compiler says of types, held to the bytes that it makes of their values, for machines of both byte orders.</summary>
public sealed class ClangTests
{
    // What of `sample` is the same for both; `part` is the low half of `whole`, or the high one.
    private const string BeforePart =
        "{.key = {.saddr = 10.0.0.1, .dport = 443, .state = CONN_OLD}, {.whole = 4294967298, .part = ";

    private const string AfterPart =
        "}, .low = 5, .level = -3, .mode = CONN_NEW, .wide = 1234567890123, .signed_one = -1, "
        + ".s8 = -8, .s16 = -16, .s32 = -32, .s64 = -64, .u64 = 18446744073709551615, "
        + ".comm = \"bash\", .grid = {{1, -2}, {3, -4}, {5, -6}}, .ok = true, "
        + ".list = {{.a = 1, .b = 2}, {.a = 3, .b = 4}}, .real = 0.5, .next = 0x0}";

    private const string Source =
        """
        typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
        typedef u16 __be16;
        enum state { CONN_NEW = 1, CONN_OLD = 2 };
        struct conn_key { u32 saddr; __be16 dport; enum state state; };
        struct everything {
            struct conn_key key;
            union { u64 whole; u32 part; };
            u32 low : 3; int level : 5; enum state mode : 2;
            u64 wide : 44; long long signed_one : 9;
            signed char s8; short s16; int s32; long long s64; u64 u64;
            char comm[16]; short grid[3][2]; _Bool ok;
            struct { int a, b; } list[2];
            double real; struct everything *next;
        };
        #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        #define NET16(x) (x)
        #define IP(a, b, c, d) ((u32)(a) << 24 | (b) << 16 | (c) << 8 | (d))
        #else
        #define NET16(x) __builtin_bswap16(x)
        #define IP(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (u32)(d) << 24)
        #endif
        __attribute__((section(".data.sample"))) struct everything sample = {
            .key = { .saddr = IP(10, 0, 0, 1), .dport = NET16(443), .state = CONN_OLD }, .whole = 0x0000000100000002,
            .low = 5, .level = -3, .mode = CONN_NEW, .wide = 1234567890123, .signed_one = -1, .s8 = -8, .s16 = -16, .s32 = -32, .s64 = -64,
            .u64 = ~0ULL, .comm = "bash", .grid = { { 1, -2 }, { 3, -4 }, { 5, -6 } }, .ok = 1, .list = { { 1, 2 }, { 3, 4 } }, .real = 0.5,
        };
        struct {
            int (*type)[1]; int (*max_entries)[64]; typeof(struct conn_key) *key; typeof(struct everything) *value;
        } conns __attribute__((section(".maps")));
        struct { int (*type)[2]; int (*key_size)[4]; int (*value_size)[20]; } blocks __attribute__((section(".maps")));
        """;

    [Theory]
    [InlineData("bpfel")]
    [InlineData("bpfeb")]
    public void Values_lie_where_the_compiler_puts_them(string target)
    {
        byte[] file = Compile(target);
        BtfTypes types = BtfTypes.ParseFile(file);
        BtfValueLayout layout = types.Layout(types.FindType("struct everything").Id);
        byte[] sample = new ElfFile(file).FindSection(".data.sample"u8)!.Value.ToArray();
        byte[] parsed = new byte[layout.Size];

        Assert.Equal(target == "bpfeb", types.IsBigEndian);
        Assert.Equal(sample.Length, layout.Size);
        Assert.Equal($"{BeforePart}{(types.IsBigEndian ? 1 : 2)}{AfterPart}", Rendered.Text(layout, sample));
        Assert.Empty(new BtfValueParser(layout).Parse([("", Rendered.Text(layout, sample))], parsed));
        Assert.Equal(sample, parsed);
    }

    [Theory]
    [InlineData("bpfel")]
    [InlineData("bpfeb")]
    public void Maps_are_what_the_source_defines(string target)
    {
        BtfTypes types = BtfTypes.ParseFile(Compile(target));
        uint key = types.FindType("struct conn_key").Id, value = types.FindType("struct everything").Id;

        Assert.Equal(
            [new("conns", key, value, 12, types[value].Size), new("blocks", null, null, 4, 20)],
            BtfMapDefinition.ReadAll(types));
    }

    private static byte[] Compile(string target)
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(path => File.Exists($"{path}/clang")), "needs clang");
        string directory = Directory.CreateTempSubdirectory("bpfremote-btf-").FullName;
        try
        {
            File.WriteAllText($"{directory}/sample.c", Source);
            string[] arguments = ["-O2", "-g", "-target", target, "-c", $"{directory}/sample.c", "-o", $"{directory}/sample.o"];
            using Process clang = Process.Start(new ProcessStartInfo("clang", arguments) { RedirectStandardError = true })!;
            string errors = clang.StandardError.ReadToEnd();
            clang.WaitForExit();
            Assert.True(clang.ExitCode == 0, errors);
            return File.ReadAllBytes($"{directory}/sample.o");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
