using System.Runtime.InteropServices;
using System.Text;

namespace BpfRemote.Btf;

/// <summary>
/// The types of one program, module or kernel: raw BTF, checked once and read in place. Immutable; threads may share it.
/// </summary>
/// <remarks>
/// Type ids and string offsets go on where those of the base end (split BTF). Besides the bytes it is given it keeps four bytes a type.
/// </remarks>
public sealed class BtfTypes
{
    /// <summary>The longest name that is read, in bytes; the kernel allows 511.</summary>
    internal const int MaxNameLength = 4096;

    private readonly ReadOnlyMemory<byte> _btf;
    private readonly BtfHeader _header;
    private readonly int[] _offsets;
    private readonly BtfTypes? _base;
    private readonly uint _firstId;
    private readonly uint _firstName;

    private BtfTypes(ReadOnlyMemory<byte> btf, BtfHeader header, int[] offsets, BtfTypes? baseBtf)
    {
        _btf = btf;
        _header = header;
        _offsets = offsets;
        _base = baseBtf;
        _firstId = baseBtf?.Count ?? 1;
        _firstName = baseBtf?.NameEnd ?? 0;
    }

    /// <summary>Ids below this are types; 0, which is <c>void</c>, and those of the base are counted.</summary>
    public uint Count => _firstId + (uint)_offsets.Length;

    /// <summary>Whether the machine that these types describe, and so the values, are big-endian.</summary>
    public bool IsBigEndian => _header.Order.IsBigEndian;

    internal BtfByteOrder Order => _header.Order;

    private static ReadOnlySpan<uint> VoidRecord => [0, 0, 0];

    private uint NameEnd => _firstName + (uint)Strings.Length;

    private ReadOnlySpan<uint> Words => MemoryMarshal.Cast<byte, uint>(_btf.Span[_header.Types]);

    private ReadOnlySpan<byte> Strings => _btf.Span[_header.Strings];

    /// <summary>A type by its id, below <see cref="Count"/>.</summary>
    public BtfType this[uint id]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, Count);
            return new(this, id);
        }
    }

    /// <summary>Checks raw BTF, as <c>BPF_OBJ_GET_INFO_BY_FD</c> and <c>/sys/kernel/btf</c> give it, and finds its types.</summary>
    /// <param name="btf">The bytes, which must not change any more: they are kept, not copied.</param>
    /// <param name="baseBtf">What <paramref name="btf"/> builds on: for the BTF of a module, that of the kernel.</param>
    /// <exception cref="BtfFormatException">The bytes are not BTF, are cut off, or refer to what is not there.</exception>
    public static BtfTypes Parse(ReadOnlyMemory<byte> btf, BtfTypes? baseBtf = null)
    {
        BtfHeader header = BtfHeader.Read(btf.Span);
        if (baseBtf is not null && baseBtf.Order != header.Order)
        {
            throw new BtfFormatException("The byte order is not that of the base.");
        }

        CheckStrings(btf.Span[header.Strings], isSplit: baseBtf is not null);
        int[] offsets = RecordOffsets(btf.Span[header.Types], header.Order.IsForeign, baseBtf?.Count ?? 1);
        BtfTypes types = new(btf, header, offsets, baseBtf);
        types.CheckRecords();
        return types;
    }

    /// <summary>
    /// Checks the types in a file, which is raw BTF or an ELF file (object or linked, 32 or 64 bits) with a section <c>.BTF</c>.
    /// </summary>
    /// <remarks>
    /// In an object file that no linker has seen, compilers leave the places of variables in sections such as <c>.bss</c> open: their
    /// sections have no size and so no values.
    /// </remarks>
    /// <param name="file">The bytes, which must not change any more: they are kept, not copied.</param>
    /// <param name="baseBtf">As in <see cref="Parse"/>.</param>
    /// <exception cref="BtfFormatException">As in <see cref="Parse"/>; the ELF file is cut off or has no BTF.</exception>
    public static BtfTypes ParseFile(ReadOnlyMemory<byte> file, BtfTypes? baseBtf = null) => ElfFile.IsElf(file.Span)
        ? Parse(
            new ElfFile(file).FindSection(".BTF"u8)
                ?? throw new BtfFormatException(
                    "The ELF file has no section .BTF: it was compiled without -g, or its types were stripped."),
            baseBtf)
        : Parse(file, baseBtf);

    /// <summary>The type of a name as C writes it: <c>struct conn_key</c>, <c>conn_key</c>, <c>u32</c>, <c>unsigned int</c>.</summary>
    /// <param name="name">
    /// A name without a keyword is that of a struct, else a union, an enumeration, a typedef, a number, a section. Digits are a type's id.
    /// </param>
    /// <exception cref="BtfTextException">
    /// There is no such type, or more than one; the message says which, or what has a like name.
    /// </exception>
    public BtfType FindType(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new TypeName(name).FindIn(this);
    }

    /// <summary>The first type of a kind and a name; null where there is none. Goes through all types.</summary>
    public BtfType? Find(BtfKind kind, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Span<byte> wanted = Encoding.UTF8.GetBytes(name + '\0');
        BtfType? inBase = _base?.Find(kind, name);
        for (int i = 0; inBase is null && i < _offsets.Length; i++)
        {
            BtfTypeRecord record = OwnRecord(i);
            if (record.Kind == kind && StringsFrom(record.NameOffset).StartsWith(wanted))
            {
                return this[_firstId + (uint)i];
            }
        }

        return inBase;
    }

    /// <summary>Works out how a value of a type lies in memory.</summary>
    /// <param name="typeId">Such as a map's <c>btf_value_type_id</c>.</param>
    /// <exception cref="BtfFormatException">
    /// There is no such type, it has no values (<c>void</c>, functions, what is only declared), it contains itself, a part is outside
    /// of the whole, or it is larger or deeper than <see cref="BtfValueLayout"/> allows.
    /// </exception>
    public BtfValueLayout Layout(uint typeId) => new LayoutResolver(this).Resolve(typeId);

    /// <summary>A type without names and qualifiers; what is wrapped more often than any layout may be stays as it is.</summary>
    internal BtfType Underlying(uint id)
    {
        BtfType type = this[id];
        for (int left = LayoutResolver.MaxDepth; left > 0 && type.IsWrapper; left--)
        {
            type = this[type.ReferredTypeId];
        }

        return type;
    }

    /// <summary>Bytes of a value; null where there are no values. What is inside is not looked at: <see cref="Layout"/> does.</summary>
    internal uint? SizeOf(uint id)
    {
        ulong count = 1;
        BtfType type = Underlying(id);
        for (int left = LayoutResolver.MaxDepth; left > 0 && type.Kind == BtfKind.Array && count <= uint.MaxValue; left--)
        {
            count *= type.ElementCount;
            type = Underlying(type.ReferredTypeId);
        }

        return type switch
        {
            { Kind: BtfKind.Ptr } when count <= uint.MaxValue / LayoutResolver.PointerSize => (uint)count * LayoutResolver.PointerSize,
            { HasSize: true } when count <= uint.MaxValue / Math.Max(1, type.Size) => (uint)count * type.Size,
            _ => null,
        };
    }

    internal BtfTypeRecord Record(uint id) => id switch
    {
        0 => new(VoidRecord, isForeign: false),
        _ when id >= _firstId => OwnRecord((int)(id - _firstId)),
        _ => _base!.Record(id),
    };

    internal ReadOnlySpan<byte> NameAt(uint offset)
    {
        ReadOnlySpan<byte> rest = StringsFrom(offset);
        int length = rest[..Math.Min(rest.Length, MaxNameLength + 1)].IndexOf((byte)0);
        return length >= 0
            ? rest[..length]
            : throw new BtfFormatException($"The name at {offset} is longer than {MaxNameLength} bytes.");
    }

    private static void CheckStrings(ReadOnlySpan<byte> strings, bool isSplit)
    {
        if (isSplit && strings.IsEmpty)
        {
            return;
        }

        if (strings.IsEmpty || strings[^1] != 0 || (strings[0] != 0 && !isSplit))
        {
            throw new BtfFormatException("The strings neither begin with the empty string nor end with a zero byte, as they must.");
        }
    }

    // In words.
    private static int[] RecordOffsets(ReadOnlySpan<byte> types, bool isForeign, uint firstId)
    {
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(types);
        List<int> offsets = new(words.Length / 10); // what records take on the average
        for (int offset = 0; offset * sizeof(uint) < types.Length;)
        {
            ReadOnlySpan<uint> rest = words[offset..];
            uint id = firstId + (uint)offsets.Count;
            if (rest.Length < BtfTypeRecord.HeadLength)
            {
                throw new BtfFormatException($"Type {id} is cut off: {types.Length - (offset * sizeof(uint))} bytes are left.");
            }

            BtfTypeRecord record = new(rest, isForeign);
            int length = record.Length;
            if (length < 0)
            {
                throw new BtfFormatException($"Type {id} is of a kind that is not known: {(int)record.Kind}.");
            }

            if (length > rest.Length)
            {
                throw new BtfFormatException($"Type {id} is cut off: it takes {length} words of 4 bytes, and {rest.Length} are left.");
            }

            offsets.Add(offset);
            offset += length;
        }

        return [.. offsets];
    }

    private void CheckRecords()
    {
        BtfTypeCheck check = new(Count, NameEnd);
        ReadOnlySpan<uint> words = Words;
        for (int i = 0; i < _offsets.Length; i++)
        {
            check.Check(_firstId + (uint)i, new(words[_offsets[i]..], Order.IsForeign));
        }
    }

    private BtfTypeRecord OwnRecord(int index) => new(Words[_offsets[index]..], Order.IsForeign);

    private ReadOnlySpan<byte> StringsFrom(uint offset) =>
        offset >= _firstName ? Strings[(int)(offset - _firstName)..] : _base!.StringsFrom(offset);
}
