using BpfRemote.DemoMaps;
using BpfRemote.Libbpf;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Btf.Tests;

/// <summary>Real maps, and what bpftool prints of them.</summary>
public sealed class BpftoolTests
{
    private readonly KernelMapSource _kernel;

    public BpftoolTests()
    {
        Bpftool.Require();
        _kernel = KernelMapSource.Create();
    }

    [Fact]
    public void Every_kind_of_value_is_written_as_bpftool_does()
    {
        BtfWriter w = new();
        uint value = EveryKind(w);
        uint key = w.Int("unsigned int", 4);
        using WritableMap map = Create(w, BpfMapType.Hash, key, keySize: 4, value, EveryKindSize, maxEntries: 500);
        Random random = new(1);
        for (int i = 0; i < 500; i++)
        {
            map.Update(BitConverter.GetBytes(i), EveryKindValue(random));
        }

        Assert.Equal(500, Bpftool.AssertAlike(InfoOf(map)));
    }

    [Fact]
    public void Values_of_every_CPU_are_written_as_bpftool_does()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint value = w.Struct("counters", 12, ("hits", word, 0), ("misses", word, 32), ("errors", word, 64));
        using WritableMap map = Create(w, BpfMapType.PerCpuArray, word, keySize: 4, value, valueSize: 12, maxEntries: 3);
        for (int i = 0; i < 3; i++)
        {
            byte[] values = new byte[map.ValueStride];
            new Random(i).NextBytes(values);
            map.Update(BitConverter.GetBytes(i), values);
        }

        Assert.Equal(3, Bpftool.AssertAlike(InfoOf(map)));
    }

    [Fact]
    public void Sections_are_written_as_bpftool_does()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint text = w.Array(character, 8, word);
        uint pair = w.Struct("pair", 8, ("a", word, 0), ("b", word, 32));
        uint section = w.DataSec(
            ".rodata", 24,
            (w.Var("limit", w.Const(word), 1), 0, 4),
            (w.Var("name", w.Const(text), 1), 4, 8),
            (w.Var("range", w.Volatile(pair), 1), 12, 8));
        using WritableMap map = Create(w, BpfMapType.Array, keyType: 0, keySize: 4, section, valueSize: 24, maxEntries: 1);
        map.Update(BitConverter.GetBytes(0), [1, 0, 0, 0, .. "name"u8, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);

        Assert.Equal(1, Bpftool.AssertAlike(InfoOf(map)));
    }

    private const uint EveryKindSize = 168;

    private static uint EveryKind(BtfWriter w)
    {
        uint u8 = w.Int("unsigned char", 1);
        uint s16 = w.Int("short", 2, BtfIntEncoding.Signed);
        uint s32 = w.Int("int", 4, BtfIntEncoding.Signed);
        uint u64 = w.Typedef("__u64", w.Int("unsigned long long", 8));
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint letter = w.Int("letter", 1, BtfIntEncoding.Char);
        uint boolean = w.Int("_Bool", 1, BtfIntEncoding.Bool);
        uint wide = w.Int("unsigned __int128", 16);
        uint state = w.Enum("state", 4, signed: true, ("LOST", -1), ("OFF", 0), ("ON", 1));
        uint far = w.Enum64("far", signed: true, ("FAR", 1UL << 40), ("NEAR", 0));
        uint old = w.Int("old", 4, bits: 5);
        uint bits = w.BitStruct("bits", 8, ("a", s32, 0, 3), ("b", state, 3, 2), ("c", u64, 5, 40), ("d", s32, 45, 1));
        uint oldBits = w.Struct("old_bits", 4, ("a", old, 0), ("b", old, 5), ("c", old, 27));
        uint union = w.Union("", 8, ("whole", u64), ("parts", w.Array(s16, 4, s32)));
        uint inner = w.Struct("inner", 16, ("", union, 0), ("state", state, 64), ("pad", s32, 96));
        uint middle = w.Struct("middle", 32, ("inner", w.Array(inner, 2, s32), 0));
        return w.Struct(
            "everything", EveryKindSize,
            ("wide", wide, 0),
            ("u64", w.Const(w.Volatile(u64)), 128),
            ("pointer", w.Ptr(w.Fwd("later", union: false)), 192),
            ("far", far, 256),
            ("bits", bits, 320),
            ("old_bits", oldBits, 384),
            ("state", state, 416),
            ("middle", middle, 448),
            ("text", w.Array(character, 8, s32), 704),
            ("bytes", w.Array(u8, 4, s32), 768),
            ("letter", letter, 800),
            ("s8", character, 808),
            ("s16", s16, 816),
            ("bool", boolean, 832), // three bytes of padding behind it: bpftool reads them too
            ("s32", s32, 864),
            ("grid", w.Array(w.Array(s16, 2, s32), 3, s32), 896),
            ("empty", w.Struct("empty", 0), 992),
            ("call", w.Ptr(w.FuncProto(s32, ("argument", u64))), 1024),
            ("names", w.Array(w.Array(character, 4, s32), 4, s32), 1088),
            ("last", u64, 1216),
            ("none", w.Array(u64, 0, s32), 1280));
    }

    private static byte[] EveryKindValue(Random random)
    {
        byte[] value = new byte[EveryKindSize];
        random.NextBytes(value);
        value.AsSpan(40, 8)[random.Next(8)..].Clear();
        value.AsSpan(32, 8).Clear();
        value[37] = (byte)random.Next(2);
        BitConverter.GetBytes(random.Next(-2, 3)).CopyTo(value, 52);
        for (int i = 88; i < 96; i++)
        {
            value[i] = (byte)random.Next('A', 'Z'); // text, now and then ended
        }

        value[88 + random.Next(8)] = (byte)random.Next(2);
        value[100] = (byte)random.Next('a', 'z');
        value.AsSpan(104, 4).Clear();
        value[104] = (byte)random.Next(2);
        for (int i = 136; i < 152; i++)
        {
            value[i] = (byte)(random.Next(4) == 0 ? 0 : random.Next('a', 'z'));
        }

        return value;
    }

    private static WritableMap Create(
        BtfWriter types, BpfMapType type, uint keyType, uint keySize, uint valueType, uint valueSize, uint maxEntries)
    {
        using SafeFileHandle loaded = KernelTypes.Load(types.ToArray());
        return WritableMap.Create(new()
        {
            Type = type,
            Name = "btf_test",
            KeySize = keySize,
            ValueSize = valueSize,
            MaxEntries = maxEntries,
            Btf = loaded,
            BtfKeyTypeId = keyType,
            BtfValueTypeId = valueType,
        });
    }

    private MapInfo InfoOf(WritableMap map)
    {
        using IBpfMap opened = _kernel.OpenById(map.Id);
        return opened.Info;
    }
}
