namespace BpfRemote.Btf.Tests;

/// <summary>A struct with every kind of type that has values, all of them nested three deep.</summary>
internal static class EveryKind
{
    /// <summary>Bytes of a value.</summary>
    public const uint Size = 168;

    /// <summary>Writes the type.</summary>
    /// <returns>Its id.</returns>
    public static uint AddTo(BtfWriter w)
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
        uint everything = w.Struct(
            "everything", Size,
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
            ("call", w.Restrict(w.Ptr(w.FuncProto(s32, ("argument", u64)))), 1024),
            ("names", w.Array(w.Array(character, 4, s32), 4, s32), 1088),
            ("last", u64, 1216),
            ("none", w.Array(u64, 0, s32), 1280));
        w.DeclTag("first", everything, 0);
        w.DeclTag("whole", everything, -1);
        uint around = w.Struct("around", Size, ("everything", w.Array(everything, 1, s32), 0));
        return w.Struct("outermost", Size, ("around", w.Typedef("around_t", around), 0));
    }

    /// <summary>A value, random where bpftool prints anything right.</summary>
    public static byte[] Value(Random random)
    {
        byte[] value = new byte[Size];
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
}
