namespace BpfRemote.Btf.Tests;

/// <summary>Makes up types of every kind that has values, nested, with names that say what bytes are among them.</summary>
internal sealed class RandomTypes(Random random, bool bigEndian)
{
    private const int DeepestNested = 3;

    // Names that mean something, and one that does not.
    private static readonly string[] Names = ["saddr", "ip6", "h_dest", "dport", "count"];

    private readonly BtfWriter _writer = new(bigEndian);
    private int _names;
    private uint _lastSize;

    public BtfValueLayout Layout()
    {
        uint type = Composite(depth: 0);
        return _writer.Parse().Layout(type);
    }

    private uint Composite(int depth)
    {
        List<(string Name, uint Type, uint BitOffset)> members = [];
        uint offset = 0;
        for (int left = random.Next(1, 6); left > 0; left--)
        {
            (uint type, uint size, bool mayBeAnonymous) = Type(depth + 1);
            string name = mayBeAnonymous && random.Next(3) == 0 ? "" : $"f{_names++}_{Names[random.Next(Names.Length)]}";
            members.Add((name, type, offset * 8));
            offset += size + (uint)random.Next(3);
        }

        _lastSize = offset;
        return _writer.Struct($"s{_names++}", offset, [.. members]);
    }

    private (uint Type, uint Size, bool MayBeAnonymous) Type(int depth)
    {
        uint index = _writer.Int("unsigned int", 4);
        uint width = 1u << random.Next(4);
        bool signed = random.Next(2) == 0;
        BtfIntEncoding encoding = signed ? BtfIntEncoding.Signed : BtfIntEncoding.None;
        switch (random.Next(depth < DeepestNested ? 14 : 11))
        {
            case 0:
                return (_writer.Int("number", (int)width, encoding), width, false);
            case 1:
                return (_writer.Int("wide", 16, encoding), 16, false);
            case 2:
                return (_writer.Typedef($"__be{width * 8}", _writer.Int("number", (int)width)), width, false);
            case 3:
                return (_writer.Enum("state", 4, signed, ("OFF", 0), ("ON", signed ? -1 : int.MinValue)), 4, false);
            case 4:
                return (_writer.Enum64("far", signed, ("NEAR", 0), ("FAR", ulong.MaxValue)), 8, false);
            case 5:
                return (_writer.Float("real", width == 1 ? 16 : width), width == 1 ? 16 : width, false);
            case 6:
                return (_writer.Ptr(0), 8, false);
            case 7:
                return (_writer.Int("letter", 1, BtfIntEncoding.Char), 1, false);
            case 8:
                return (_writer.Array(_writer.Int("unsigned char", 1), signed ? 6u : 16u, index), signed ? 6u : 16u, false);
            case 9:
                return (_writer.Int("char", 1, BtfIntEncoding.Signed), 1, false);
            case 10:
                uint low = _writer.Int("number", 4, encoding), state = _writer.Enum("level", 4, signed, ("NONE", 0), ("SOME", 1));
                return (
                    _writer.BitStruct(
                        "bits", 4, ($"a{_names++}", low, 0, 7), ("", low, 7, 2), ($"b{_names++}", state, 9, 3), ($"c{_names++}", low, 12, 20)),
                    4, true);
            case 11:
                uint whole = _writer.Int("number", 8), part = _writer.Int("number", 2, encoding);
                return (_writer.Union("u", 8, ($"whole{_names++}", whole), ($"part{_names++}", part)), 8, true);
            case 12:
                (uint element, uint size, _) = Type(depth + 1);
                return (_writer.Array(element, 3, index), size * 3, false);
            default:
                uint composite = Composite(depth);
                return (composite, _lastSize, true);
        }
    }
}
