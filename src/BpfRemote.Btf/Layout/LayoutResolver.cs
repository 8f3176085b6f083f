using System.Text;

namespace BpfRemote.Btf;

/// <summary>
/// Builds the layouts of one value, each type once. All that hostile BTF can ask for is counted: depth, fields, enumerators and the
/// bytes of their names.
/// </summary>
internal sealed class LayoutResolver(BtfTypes types)
{
    public const int MaxDepth = 64;
    public const uint PointerSize = 8;

    private const int MaxSize = 64 << 20;
    private const int MaxItems = 65_536;
    private const int MaxNameBytes = 4 << 20;

    // Null while the type is being worked out: who finds that, is inside of itself.
    private readonly Dictionary<uint, BtfValueLayout?> _layouts = [];
    private int _depth;
    private int _items;
    private int _nameBytes;

    public BtfValueLayout Resolve(uint id)
    {
        if (id >= types.Count)
        {
            throw new BtfFormatException($"There is no type {id}; there are {types.Count}.");
        }

        if (_layouts.TryGetValue(id, out BtfValueLayout? known))
        {
            return known ?? throw new BtfFormatException($"Type {id} contains itself.");
        }

        if (_depth == MaxDepth)
        {
            throw new BtfFormatException($"Type {id} is nested more than {MaxDepth} deep.");
        }

        CountItems(1);
        _layouts.Add(id, null);
        _depth++;
        BtfValueLayout layout = Build(types[id]);
        _depth--;
        _layouts[id] = layout;
        return layout;
    }

    private BtfValueLayout Build(BtfType type) => type.Kind switch
    {
        BtfKind.Int => Integer(type),
        BtfKind.Ptr => new(type, BtfValueKind.Pointer, (int)PointerSize, types.IsBigEndian),
        BtfKind.Float => new(type, BtfValueKind.Float, (int)type.Size, types.IsBigEndian),
        BtfKind.Enum or BtfKind.Enum64 => Enumeration(type),
        BtfKind.Array => Array(type),
        BtfKind.Struct => Composite(type, BtfValueKind.Struct),
        BtfKind.Union => Composite(type, BtfValueKind.Union),
        BtfKind.DataSec => Section(type),
        BtfKind.Typedef => Resolve(type.ReferredTypeId).Renamed(type, MeaningOf(type)),
        BtfKind.Const or BtfKind.Volatile or BtfKind.Restrict or BtfKind.TypeTag or BtfKind.Var => Resolve(type.ReferredTypeId),
        _ => throw new BtfFormatException($"Type {type.Id} is of kind {type.Kind}, which has no values."),
    };

    private static ValueMeaning MeaningOf(BtfType type) => type.NameUtf8 switch
    {
        var name when name.SequenceEqual("in_addr"u8) => ValueMeaning.Ipv4,
        var name when name.SequenceEqual("in6_addr"u8) => ValueMeaning.Ipv6,
        var name when name.StartsWith("__be"u8) => ValueMeaning.NetworkOrder,
        _ => ValueMeaning.None,
    };

    private static int SizeOf(BtfType type) =>
        type.Size <= MaxSize
            ? (int)type.Size
            : throw new BtfFormatException($"A value of type {type.Id} takes {type.Size} bytes; {MaxSize} are allowed.");

    private BtfValueLayout Integer(BtfType type)
    {
        BtfIntEncoding encoding = type.IntEncoding;
        int bits = type.IntBits;
        BtfValueKind kind = encoding switch
        {
            _ when (encoding & BtfIntEncoding.Bool) != 0 => BtfValueKind.Boolean,
            _ when (encoding & BtfIntEncoding.Char) != 0 && type.Size == 1 && bits == 8 => BtfValueKind.Character,
            _ => BtfValueKind.Integer,
        };
        bool isWhole = type.IntBitOffset == 0 && bits is 8 or 16 or 32 or 64 or 128 && bits == type.Size * 8;
        return new(type, kind, (int)type.Size, types.IsBigEndian)
        {
            IsSigned = (encoding & BtfIntEncoding.Signed) != 0,
            IsCharacter = type.Size == 1 && (kind == BtfValueKind.Character || type.NameUtf8.SequenceEqual("char"u8)),
            BitOffset = isWhole ? 0 : type.IntBitOffset,
            BitSize = isWhole ? 0 : bits,
        };
    }

    private BtfValueLayout Enumeration(BtfType type)
    {
        BtfEnumerator[] enumerators = new BtfEnumerator[type.ItemCount];
        CountItems(enumerators.Length);
        for (int i = 0; i < enumerators.Length; i++)
        {
            enumerators[i] = type.Enumerator(i);
            CountName(enumerators[i].Name);
        }

        return new(type, BtfValueKind.Enumeration, (int)type.Size, types.IsBigEndian)
        {
            IsSigned = type.KindFlag,
            Enumerators = enumerators,
        };
    }

    private BtfValueLayout Array(BtfType type)
    {
        BtfValueLayout element = Resolve(type.ReferredTypeId);
        ulong size = (ulong)element.Size * type.ElementCount;
        if (size > MaxSize || type.ElementCount > MaxSize)
        {
            throw new BtfFormatException(
                $"Type {type.Id} is an array of {type.ElementCount} elements of {element.Size} bytes; {MaxSize} are allowed.");
        }

        return new(type, BtfValueKind.Array, (int)size, types.IsBigEndian)
        {
            Element = element,
            Count = (int)type.ElementCount,
        };
    }

    private BtfValueLayout Composite(BtfType type, BtfValueKind kind)
    {
        BtfField[] fields = new BtfField[type.ItemCount];
        CountItems(fields.Length);
        for (int i = 0; i < fields.Length; i++)
        {
            fields[i] = Field(type, type.Member(i));
        }

        return WithFields(type, kind, fields, MeaningOf(type));
    }

    private BtfField Field(BtfType type, BtfMember member)
    {
        BtfValueLayout layout = Resolve(member.TypeId);
        CountName(member.Name);
        uint first = member.BitOffset;
        int bits = member.BitfieldSize;
        if (bits == 0 && layout.Kind is BtfValueKind.Integer or BtfValueKind.Boolean or BtfValueKind.Character
            && (first % 8 != 0 || layout.BitSize != 0))
        {
            // What compilers before LLVM 8 and pahole before 1.13 wrote: the bits are a matter of the integer's type.
            first += (uint)layout.BitOffset;
            bits = layout.BitSize != 0 ? layout.BitSize : layout.Size * 8;
        }

        int bitOffset = (int)(first % 8);
        bool mayBeBits = layout.Kind is BtfValueKind.Integer or BtfValueKind.Boolean or BtfValueKind.Character
            or BtfValueKind.Enumeration;
        if ((!mayBeBits && (bits != 0 || bitOffset != 0))
            || (bits == 0 && bitOffset != 0)
            || bits > layout.Size * 8
            || bitOffset + bits > 128)
        {
            throw new BtfFormatException(
                $"Member {member.Name} of type {type.Id} takes {bits} bits from bit {first} on, which a {layout.Kind} of {layout.Size} bytes cannot.");
        }

        ulong end = bits != 0 ? (ulong)first + (uint)bits : first + ((ulong)layout.Size * 8);
        if (end > (ulong)type.Size * 8)
        {
            throw new BtfFormatException(
                $"Member {member.Name} of type {type.Id} ends at bit {end}, outside of its {type.Size} bytes.");
        }

        return new(member.Name, layout, (int)(first / 8), bits != 0 ? bitOffset : 0, bits);
    }

    private BtfValueLayout Section(BtfType type)
    {
        BtfField[] fields = new BtfField[type.ItemCount];
        CountItems(fields.Length);
        for (int i = 0; i < fields.Length; i++)
        {
            BtfSectionVariable variable = type.Variable(i);
            BtfType declared = types[variable.TypeId];
            if (declared.Kind != BtfKind.Var)
            {
                throw new BtfFormatException(
                    $"Item {i} of type {type.Id}, a section, is type {declared.Id} of kind {declared.Kind}, which has no values.");
            }

            BtfValueLayout layout = Resolve(declared.Id);
            if ((ulong)variable.Offset + (uint)layout.Size > type.Size)
            {
                throw new BtfFormatException(
                    $"Variable {i} of type {type.Id} ends at byte {(ulong)variable.Offset + (uint)layout.Size} of {type.Size}.");
            }

            string name = declared.Name;
            CountName(name);
            fields[i] = new(
                name, layout, (int)variable.Offset + (layout.BitOffset / 8), layout.BitOffset % 8, layout.BitSize);
        }

        return WithFields(type, BtfValueKind.Section, fields, ValueMeaning.None);
    }

    private BtfValueLayout WithFields(BtfType type, BtfValueKind kind, BtfField[] fields, ValueMeaning meaning)
    {
        Dictionary<string, BtfField> byName = new(fields.Length);
        foreach (BtfField field in fields)
        {
            if (field.Name.Length > 0)
            {
                byName.TryAdd(field.Name, field);
                continue;
            }

            // The fields of an anonymous member belong to the whole, in C too.
            CountItems(field.Layout.ByName.Count);
            foreach ((string name, BtfField inner) in field.Layout.ByName)
            {
                byName.TryAdd(name, inner with { Offset = field.Offset + inner.Offset });
            }
        }

        return new(type, kind, SizeOf(type), types.IsBigEndian) { Fields = fields, ByName = byName, Meaning = meaning };
    }

    private void CountItems(int count)
    {
        _items += count;
        if (_items > MaxItems)
        {
            throw new BtfFormatException($"The value has more than {MaxItems} types, fields and enumerators.");
        }
    }

    private void CountName(string name)
    {
        _nameBytes += Encoding.UTF8.GetByteCount(name);
        if (_nameBytes > MaxNameBytes)
        {
            throw new BtfFormatException($"The names of the value's fields and enumerators take more than {MaxNameBytes} bytes.");
        }
    }
}
