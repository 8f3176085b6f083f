using System.Buffers;
using System.Diagnostics;
using System.Globalization;

namespace BpfRemote.Btf.Tests;

/// <summary>
/// Mutated BTF is parsed, laid out, written and combined: each input is either refused with <see cref="BtfFormatException"/> or works.
/// </summary>
/// <remarks>
/// <c>BPFREMOTE_FUZZ_INPUTS</c> is the number of inputs, 1,000,000 where it is not set; the run ends early after 25 s in that case, but
/// not before it tried 50,000.
/// </remarks>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const string InputsVariable = "BPFREMOTE_FUZZ_INPUTS";
    private const long DefaultInputs = 1_000_000;
    private const long LeastInputs = 50_000;
    private const int LargestWritten = 1 << 16;

    private static readonly TimeSpan DefaultTime = TimeSpan.FromSeconds(25);

    [Fact]
    public void Mutated_BTF_is_refused_or_works()
    {
        string? asked = Environment.GetEnvironmentVariable(InputsVariable);
        long inputs = asked is null ? DefaultInputs : long.Parse(asked, CultureInfo.InvariantCulture);
        TimeSpan time = asked is null ? DefaultTime : Timeout.InfiniteTimeSpan;
        byte[][] corpus = [Handmade(bigEndian: false), Handmade(bigEndian: true), .. KernelSlices(), .. Programs()];
        Random random = new(2026);
        byte[] zeros = new byte[LargestWritten];
        ArrayBufferWriter<byte> written = new();
        long parsed = 0, laidOut = 0, tried = 0;
        TimeSpan slowest = TimeSpan.Zero;
        long heapBefore = GC.GetTotalMemory(forceFullCollection: true);
        long start = Stopwatch.GetTimestamp();
        for (; tried < inputs && !(tried >= LeastInputs && asked is null && Stopwatch.GetElapsedTime(start) > time); tried++)
        {
            byte[] input = Mutation.Of(corpus[random.Next(corpus.Length)], random);
            long began = Stopwatch.GetTimestamp();
            try
            {
                BtfTypes types = BtfTypes.Parse(input);
                parsed++;
                BtfValueLayout layout = types.Layout((uint)random.NextInt64(types.Count));
                laidOut++;
                BtfJsonFormat json = new(layout);
                BtfTextFormat text = new(layout);
                if (layout.Size is > 0 and <= LargestWritten)
                {
                    written.ResetWrittenCount();
                    json.Write(written, zeros);
                    text.Write(written, zeros);
                    BtfAggregate.Sum(layout).Combine(zeros.AsSpan(0, layout.PerCpuStride), written.GetSpan(LargestWritten));
                }

                layout.TryGetLeaves(int.MaxValue, out _);
                BtfMapDefinition.ReadAll(types);
            }
            catch (BtfFormatException)
            {
                // Refused, as it may be.
            }

            TimeSpan taken = Stopwatch.GetElapsedTime(began);
            slowest = taken > slowest ? taken : slowest;
        }

        TimeSpan whole = Stopwatch.GetElapsedTime(start);
        long grown = GC.GetTotalMemory(forceFullCollection: true) - heapBefore;
        output.WriteLine(
            $"{tried} inputs, {parsed} parsed, {laidOut} laid out, in {whole.TotalSeconds:f1} s: {tried / whole.TotalSeconds:f0} a second, "
            + $"slowest {slowest.TotalMilliseconds:f1} ms, heap grown by {grown} bytes");
        Assert.InRange(parsed, 1, tried - 1);
        Assert.InRange(laidOut, 1, parsed);
        Assert.True(slowest < TimeSpan.FromSeconds(5), $"one input took {slowest}");
        Assert.True(grown < 64 << 20, $"{grown} bytes are kept");
    }

    /// <summary>The first types of the running kernel, cut to a few hundred bytes at record boundaries.</summary>
    private static IEnumerable<byte[]> KernelSlices()
    {
        const string path = "/sys/kernel/btf/vmlinux";
        if (!File.Exists(path))
        {
            yield break;
        }

        BtfTypes types = BtfTypes.Parse(File.ReadAllBytes(path));
        foreach (string name in (string[])["in6_addr", "list_head", "bpf_insn", "iphdr", "tcphdr", "timespec64", "spinlock", "sk_buff_head"])
        {
            if (types.Find(BtfKind.Struct, name) is { } type)
            {
                yield return BtfSlice.Of(types, type.Id);
            }
        }
    }

    /// <summary>The types of programs as their compiler wrote them: a libbpf tool has the object file that it loads within itself.</summary>
    private static IEnumerable<byte[]> Programs()
    {
        foreach (string path in ((string[])["biolatency", "offcputime", "tcpconnlat"]).Select(static tool => $"/usr/sbin/{tool}").Where(File.Exists))
        {
            byte[] program = File.ReadAllBytes(path);
            int start = program.AsSpan(1).IndexOf("\u007fELF"u8) + 1;
            if (start > 0 && new ElfFile(program.AsMemory(start)).FindSection(".BTF"u8) is { } types)
            {
                yield return types.ToArray();
            }
        }
    }

    private static byte[] Handmade(bool bigEndian)
    {
        BtfWriter w = new(bigEndian);
        uint word = w.Int("unsigned int", 4);
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint name = w.Array(character, 16, word);
        uint state = w.Enum("state", 4, signed: false, ("OFF", 0), ("ON", 1));
        uint wide = w.Enum64("wide", signed: true, ("FAR", 1UL << 40));
        uint union = w.Union("", 8, ("word", word), ("wide", wide));
        uint bits = w.BitStruct("bits", 4, ("a", word, 0, 3), ("b", state, 3, 2));
        uint inner = w.Struct("inner", 32, ("", union, 0), ("name", w.Const(name), 64), ("bits", w.Typedef("bits_t", bits), 192));
        uint outer = w.Struct("outer", 80, ("first", inner, 0), ("list", w.Array(inner, 1, word), 256), ("f", w.Float("double", 8), 512));
        uint pointer = w.Ptr(w.FuncProto(word, ("outer", outer)));
        w.DeclTag("tag", outer, 0);
        w.TypeTag("tag", w.Volatile(w.Restrict(pointer)));
        w.Fwd("later", union: true);
        w.Func("call", w.FuncProto(0));
        uint map = w.Struct("", 16, ("key", w.Ptr(inner), 0), ("value_size", w.Ptr(w.Array(word, 4, word)), 64));
        w.DataSec(".maps", 16, (w.Var("m", map, 1), 0, 16));
        w.DataSec(".bss", 96, (w.Var("o", outer, 1), 0, 80), (w.Var("p", pointer, 1), 80, 8));
        return w.ToArray();
    }
}
