using System.Diagnostics;

namespace BpfRemote.Btf.Tests;

public sealed class ElfFileTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void BTF_is_found_in_ELF_files_of_both_sizes_and_byte_orders(bool is64, bool bigEndian)
    {
        BtfWriter w = new(bigEndian);
        uint word = w.Int("unsigned int", 4);
        foreach (bool extended in (bool[])[false, true])
        {
            byte[] file = new ElfWriter(is64, bigEndian) { Extended = extended }
                .Section(".BTF.ext", [1, 2, 3]).Section(".text", new byte[16]).Section(".BTF", w.ToArray()).ToArray();

            BtfTypes types = BtfTypes.ParseFile(file);

            Assert.Equal((bigEndian, "unsigned int"), (types.IsBigEndian, types[word].Name));
        }
    }

    [Fact]
    public void Raw_BTF_is_told_from_ELF_by_how_it_begins()
    {
        BtfWriter w = new();
        w.Int("unsigned int", 4);

        Assert.Equal(2u, BtfTypes.ParseFile(w.ToArray()).Count);
        Assert.StartsWith("Not BTF", Assert.Throws<BtfFormatException>(() => BtfTypes.ParseFile(new byte[64])).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[]> Refused => new()
    {
        { "has no section .BTF", new ElfWriter().Section(".text", [1]).ToArray() },
        { "section 1 is compressed", new ElfWriter().Section(".BTF", [1], flags: 0x800).ToArray() },
        { "section 1 has no bytes in the file", new ElfWriter().Section(".BTF", [], type: 8).ToArray() },
        { "section headers take 63 bytes, not 64", new ElfWriter { EntrySize = 63 }.ToArray() },
        { "too few for BTF", new ElfWriter().Section(".BTF", [1]).ToArray() },
        { "and 12 bytes more", new ElfWriter().ToArray()[..15] },
        { "ELF header, 64 bytes from byte 0 on, is outside of its 20 bytes", new ElfWriter().ToArray()[..20] },
        { "section headers", new ElfWriter().ToArray()[..^1] },
        { "class 3, data 1 and version 1", Changed(4, 3) },
        { "class 2, data 3 and version 1", Changed(5, 3) },
        { "class 2, data 1 and version 2", Changed(6, 2) },
        { "has no sections", Changed(0x28, 0, 0) },
        { "is outside of its", Changed(0x2f, 0xff) },
        { "cannot have 65535 sections", Changed(0x3c, 0xff, 0xff) },
        { "in section 9 of 2", Changed(0x3e, 9) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_wrong_with_a_file_is_said(string expected, byte[] file) =>
        Assert.Contains(expected, Assert.Throws<BtfFormatException>(() => BtfTypes.ParseFile(file)).Message, StringComparison.Ordinal);

    [Fact]
    public void Mutated_ELF_files_are_refused_or_work()
    {
        const int inputs = 200_000;
        BtfWriter w = new();
        w.Int("unsigned int", 4);
        byte[][] corpus =
        [
            new ElfWriter(is64: true).Section(".BTF", w.ToArray()).ToArray(),
            new ElfWriter(is64: false, bigEndian: true).Section(".text", [1]).Section(".BTF", w.ToArray()).ToArray(),
            new ElfWriter(is64: true, bigEndian: true) { Extended = true }.Section(".BTF", w.ToArray()).ToArray(),
        ];
        Random random = new(2026);
        long start = Stopwatch.GetTimestamp();
        int found = 0;
        for (int i = 0; i < inputs; i++)
        {
            try
            {
                BtfTypes.ParseFile(Mutation.Of(corpus[random.Next(corpus.Length)], random));
                found++;
            }
            catch (BtfFormatException)
            {
                // Refused, as it may be.
            }
        }

        output.WriteLine($"{inputs} inputs, {found} with BTF, in {Stopwatch.GetElapsedTime(start).TotalSeconds:f1} s");
        Assert.InRange(found, 1, inputs - 1);
    }

    private static byte[] Changed(int offset, params byte[] bytes)
    {
        byte[] file = new ElfWriter().ToArray();
        bytes.CopyTo(file, offset);
        return file;
    }
}
