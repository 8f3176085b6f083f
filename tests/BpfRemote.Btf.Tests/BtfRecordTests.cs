using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BpfRemote.Btf.Tests;

public sealed class BtfRecordTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Fields_are_read_by_name_wherever_they_are(bool bigEndian)
    {
        BtfWriter w = new(bigEndian);
        uint word = w.Int("unsigned int", 4);
        uint number = w.Int("short", 2, BtfIntEncoding.Signed);
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint key = w.Struct("key", 8, ("saddr", word, 0), ("ports", w.Array(number, 2, word), 32));
        uint boolean = w.Int("_Bool", 1, BtfIntEncoding.Bool);
        uint bits = w.BitStruct(
            "", 4, ("low", w.Int("int", 4, BtfIntEncoding.Signed), 0, 5), ("mode", word, 5, 3), ("on", boolean, 8, 1));
        uint type = w.Struct(
            "s", 56,
            ("key", key, 0), ("rx_bytes", w.Int("unsigned long", 8), 64), ("Exact", number, 128), ("", bits, 160), ("ok", boolean, 192),
            ("comm", w.Array(character, 8, word), 200), ("state", w.Enum("e", 4, signed: false, ("ON", 1)), 288), ("ratio", w.Float("float", 4), 320),
            ("pointer", w.Ptr(0), 384));
        BtfValueLayout layout = w.Parse().Layout(type);
        byte[] value = new byte[56];
        new BtfValueParser(layout, rawValues: true).Parse(
            [
                ("key.saddr", "0x01020304"), ("key.ports[1]", "-2"), ("rx_bytes", "123456789012"), ("Exact", "-3"), ("low", "-4"), ("mode", "5"),
                ("on", "1"), ("ok", "true"), ("comm", "bash"), ("state", "ON"), ("ratio", "0.5"), ("pointer", "0xffff888000001000"),
            ],
            value);
        BtfRecord<Mixed> record = new(layout);

        Mixed read = record.Read(value);

        Assert.False(record.IsBlittable);
        Assert.Equal((0x01020304u, (short)-2, 123456789012u, (short)-3), (read.Address, read.SecondPort, read.RxBytes, read.Exact));
        Assert.Equal((-4L, (byte)5, true, true), (read.Low, read.Mode, read.On, read.Ok));
        Assert.Equal((State.On, 0.5f, 0xffff_8880_0000_1000), (read.State, read.Ratio, read.Pointer));
        Assert.Equal("bash\0\0\0\0"u8, read.Comm);
    }

    [Fact]
    public void A_struct_that_is_laid_out_alike_is_read_in_place()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint type = w.Struct("pair", 16, ("a", word, 0), ("b", w.Int("unsigned long", 8), 64));
        BtfRecord<Pair> record = new(w.Parse().Layout(type));
        byte[] values = [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];

        Assert.True(record.IsBlittable);
        Assert.Equal([new() { A = 1, B = 2 }, new() { A = 3, B = 4 }], record.Cast(values).ToArray());
        Assert.Equal(new() { A = 3, B = 4 }, record.Read(values.AsSpan(16)));
        Assert.Throws<ArgumentException>(() => record.Cast(values.AsSpan(1)).Length);
        Assert.Throws<ArgumentException>(() => record.Read(values.AsSpan(17)));
    }

    [Theory]
    [InlineData(false, 24u, 64u)]
    [InlineData(false, 12u, 32u)]
    [InlineData(true, 16u, 64u)]
    public void A_struct_that_is_laid_out_otherwise_is_not_read_in_place(bool isForeign, uint size, uint second)
    {
        bool bigEndian = isForeign == BitConverter.IsLittleEndian;
        BtfWriter w = new(bigEndian);
        uint word = w.Int("unsigned int", 4);
        uint type = w.Struct("pair", size, ("a", word, 0), ("b", w.Int("unsigned long", 8), second));
        BtfRecord<Pair> record = new(w.Parse().Layout(type));
        byte[] value = new byte[size];
        value[bigEndian ? 3 : 0] = 7;
        value[(second / 8) + (bigEndian ? 7u : 0)] = 9;

        Assert.False(record.IsBlittable);
        Assert.Equal(new() { A = 7, B = 9 }, record.Read(value));
        Assert.Equal(
            "Pair is not laid out as struct pair is: read the values one by one.",
            Assert.Throws<InvalidOperationException>(() => record.Cast(value).Length).Message);
    }

    [Fact]
    public void Explicit_and_overlapping_places_are_found()
    {
        BtfWriter w = new();
        uint octet = w.Int("unsigned char", 1);
        uint half = w.Int("unsigned short", 2);
        uint type = w.Struct("s", 400, ("first", octet, 0), ("far", half, 300 * 8), ("near", octet, 301 * 8));
        BtfRecord<Far> record = new(w.Parse().Layout(type));
        byte[] value = new byte[400];
        (value[0], value[300], value[301]) = (1, 2, 3);

        Far read = record.Read(value);

        Assert.True(record.IsBlittable);
        Assert.Equal((1, 0x0302, 3), (read.First, read.FarAway, read.Near));
    }

    [Fact]
    public void All_that_does_not_fit_is_said_at_once()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint octet = w.Int("unsigned char", 1);
        uint type = w.Struct(
            "s", 64,
            ("sign", word, 0), ("size", w.Int("unsigned long", 8), 64), ("real", word, 128), ("whole", w.Float("float", 4), 160),
            ("flag", word, 192), ("text", w.Array(octet, 6, word), 224), ("nested", w.Struct("n", 4, ("x", word, 0)), 288),
            ("pointer", w.Ptr(0), 320), ("letter", w.Int("short", 2, BtfIntEncoding.Signed), 384),
            ("bits", w.BitStruct("b", 4, ("wide", word, 0, 20)), 416));

        BtfMismatchException refused = Assert.Throws<BtfMismatchException>(() => new BtfRecord<Wrong>(w.Parse().Layout(type)));

        Assert.Equal(
            [
                "Field Sign: BTF has unsigned int (unsigned integer of 4 bytes), C# has Int32 (signed of 4 bytes).",
                "Field Size: BTF has unsigned long (unsigned integer of 8 bytes), C# has UInt32 (unsigned of 4 bytes).",
                "Field Real: BTF has unsigned int (unsigned integer of 4 bytes), C# has Single (float of 4 bytes).",
                "Field Whole: BTF has float (float of 4 bytes), C# has UInt32 (unsigned of 4 bytes).",
                "Field Flag: BTF has unsigned int (unsigned integer of 4 bytes), C# has Boolean (boolean of 1 bytes).",
                "Field Text: BTF has unsigned char[6] (array of 6 bytes), C# has Text (struct of 8 bytes).",
                "Field Nested: BTF has struct n (struct of 4 bytes), C# has UInt32 (unsigned of 4 bytes).",
                "Field Pointer: BTF has void * (pointer of 8 bytes), C# has Int64 (signed of 8 bytes).",
                "Field Letter: BTF has short (signed integer of 2 bytes), C# has Char (other of 2 bytes).",
                "Field Wide: BTF has unsigned int (unsigned integer of 20 bits), C# has UInt16 (unsigned of 2 bytes).",
                "Field Sighn: struct s has no field 'sighn': it has sign, size, real, whole, flag, text, nested, pointer, letter, bits. Did you mean sign?",
            ],
            refused.Mismatches);
        Assert.StartsWith("Wrong does not fit struct s: Field Sign: BTF has", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_would_have_to_be_turned_round_part_by_part_is_refused()
    {
        BtfWriter w = new(bigEndian: BitConverter.IsLittleEndian);
        uint word = w.Int("unsigned int", 4);
        uint type = w.Struct("s", 8, ("text", w.Array(word, 2, word), 0));

        BtfMismatchException refused = Assert.Throws<BtfMismatchException>(() => new BtfRecord<Texts>(w.Parse().Layout(type)));

        Assert.Contains("unsigned int[2] (array of 8 bytes, in the other byte order)", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_struct_without_public_fields_is_refused()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        BtfValueLayout layout = w.Parse().Layout(word);

        Assert.Equal(
            "Hidden does not fit unsigned int: it has no public fields.",
            Assert.Throws<BtfMismatchException>(() => new BtfRecord<Hidden>(layout)).Message);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint type = w.Struct("pair", 12, ("a", word, 0), ("b", w.Int("unsigned long", 8), 32));
        BtfRecord<Pair> record = new(w.Parse().Layout(type));
        byte[] value = [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        ulong sum = record.Read(value).B;

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            sum += record.Read(value).B;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2002u, sum);
    }

#pragma warning disable CS0649 // written by their bytes
    private enum State
    {
        Off,
        On,
    }

    private struct Pair
    {
        public uint A;
        public ulong B;
    }

    private struct Mixed
    {
        public bool Ok;
        public bool On;
        public State State;
        public ulong RxBytes;
        public short Exact;
        public byte Mode;
        public long Low;
        public Text Comm;
        public float Ratio;
        public ulong Pointer;

        [BtfField("key.saddr")]
        public uint Address;

        [BtfField("key.ports[1]")]
        public short SecondPort;
    }

    [StructLayout(LayoutKind.Explicit, Size = 400)]
    private struct Far
    {
        [FieldOffset(0)]
        public byte First;

        [FieldOffset(300)]
        [BtfField("far")]
        public ushort FarAway;

        [FieldOffset(301)]
        public byte Near;
    }

    private struct Wrong
    {
        public int Sign;
        public uint Size;
        public float Real;
        public uint Whole;
        public bool Flag;
        public Text Text;
        public uint Nested;
        public long Pointer;
        public char Letter;

        [BtfField("bits.wide")]
        public ushort Wide;

        public uint Sighn;
    }

    private struct Texts
    {
        public Text Text;
    }

    private readonly record struct Hidden(uint A);
#pragma warning restore CS0649

    [InlineArray(8)]
    private struct Text
    {
        private byte _first;
    }
}
