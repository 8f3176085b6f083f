namespace BpfRemote.Btf;

/// <summary>The sections of an ELF file, of 32 or 64 bits and either byte order, as far as finding one by its name asks for.</summary>
/// <remarks>All offsets and sizes in the file are checked against what is there. Nothing is copied.</remarks>
internal sealed class ElfFile
{
    private const int IdentLength = 16;
    private const byte CurrentVersion = 1;
    private const uint NoBits = 8;
    private const ulong Compressed = 0x800;
    private const uint ExtendedIndex = 0xffff;

    private readonly ReadOnlyMemory<byte> _file;
    private readonly BtfByteOrder _order;
    private readonly bool _is64;
    private readonly ReadOnlyMemory<byte> _sections;
    private readonly ReadOnlyMemory<byte> _names;

    /// <summary>Reads the header and finds the table of sections.</summary>
    /// <exception cref="BtfFormatException">It is no ELF file, or is cut off.</exception>
    public ElfFile(ReadOnlyMemory<byte> file)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        if (!IsElf(bytes) || bytes.Length < IdentLength)
        {
            throw new BtfFormatException("Not an ELF file: it does not begin with 7f454c46 and 12 bytes more.");
        }

        if (bytes[4] is not (1 or 2) || bytes[5] is not (1 or 2) || bytes[6] != CurrentVersion)
        {
            throw new BtfFormatException(
                $"An ELF file of class {bytes[4]}, data {bytes[5]} and version {bytes[6]} is not known; 1 and 2, 1 and 2, and 1 are.");
        }

        _file = file;
        _is64 = bytes[4] == 2;
        _order = new(IsBigEndian: bytes[5] == 2);
        ReadOnlySpan<byte> header = Slice("ELF header", 0, (ulong)HeaderSize).Span;
        ulong tableOffset = Word(header[(_is64 ? 0x28 : 0x20)..]);
        int tail = HeaderSize - 6;
        int entrySize = _order.UInt16(header[tail..]);
        ulong count = _order.UInt16(header[(tail + 2)..]);
        uint namesIndex = _order.UInt16(header[(tail + 4)..]);
        if (tableOffset == 0)
        {
            throw new BtfFormatException("The ELF file has no sections.");
        }

        if (entrySize != EntrySize)
        {
            throw new BtfFormatException($"The ELF file's section headers take {entrySize} bytes, not {EntrySize}.");
        }

        // Numbers of sections that 16 bits do not hold are in the first section's header.
        Section first = Read(Slice("first section header", tableOffset, (ulong)EntrySize).Span);
        count = count == 0 ? first.Size : count;
        namesIndex = namesIndex == ExtendedIndex ? first.Link : namesIndex;
        if (count > (ulong)file.Length / (ulong)EntrySize)
        {
            throw new BtfFormatException($"The ELF file of {file.Length} bytes cannot have {count} sections.");
        }

        _sections = Slice("section headers", tableOffset, count * (ulong)EntrySize);
        if (namesIndex >= count)
        {
            throw new BtfFormatException($"The names of the ELF file's sections are in section {namesIndex} of {count}.");
        }

        Section names = SectionAt((int)namesIndex);
        _names = Slice("section names", names.Offset, names.Size);
    }

    private int HeaderSize => _is64 ? 64 : 52;

    private int EntrySize => _is64 ? 64 : 40;

    /// <summary>Whether bytes begin as an ELF file does.</summary>
    public static bool IsElf(ReadOnlySpan<byte> file) => file.StartsWith("\u007fELF"u8);

    /// <summary>The bytes of the first section of a name; null where there is none.</summary>
    /// <param name="name">Such as <c>.BTF</c>, in ASCII.</param>
    /// <exception cref="BtfFormatException">The section is compressed, has no bytes in the file, or is outside of it.</exception>
    public ReadOnlyMemory<byte>? FindSection(ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < _sections.Length / EntrySize; i++)
        {
            Section section = SectionAt(i);
            if (!HasName(section, name))
            {
                continue;
            }

            string place = $"section {i}";
            return section switch
            {
                { Type: NoBits } => throw new BtfFormatException($"The ELF file's {place} has no bytes in the file."),
                { Flags: var flags } when (flags & Compressed) != 0 =>
                    throw new BtfFormatException($"The ELF file's {place} is compressed: decompress it first, by objcopy."),
                _ => Slice(place, section.Offset, section.Size),
            };
        }

        return null;
    }

    private bool HasName(Section section, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> rest = section.Name < _names.Length ? _names.Span[(int)section.Name..] : [];
        return rest.Length > name.Length && rest.StartsWith(name) && rest[name.Length] == 0;
    }

    private Section SectionAt(int index) => Read(_sections.Span[(index * EntrySize)..]);

    private Section Read(ReadOnlySpan<byte> header)
    {
        int word = _is64 ? 8 : 4;
        return new(
            Name: _order.UInt32(header),
            Type: _order.UInt32(header[4..]),
            Flags: Word(header[8..]),
            Offset: Word(header[(8 + (2 * word))..]),
            Size: Word(header[(8 + (3 * word))..]),
            Link: _order.UInt32(header[(8 + (4 * word))..]));
    }

    private ulong Word(ReadOnlySpan<byte> bytes) => _is64 ? _order.UInt64(bytes) : _order.UInt32(bytes);

    private ReadOnlyMemory<byte> Slice(string place, ulong offset, ulong size) =>
        offset <= (ulong)_file.Length && size <= (ulong)_file.Length - offset
            ? _file.Slice((int)offset, (int)size)
            : throw new BtfFormatException(
                $"The ELF file's {place}, {size} bytes from byte {offset} on, is outside of its {_file.Length} bytes.");

    /// <summary>What is read of <c>Elf64_Shdr</c> and <c>Elf32_Shdr</c>.</summary>
    private readonly record struct Section(uint Name, uint Type, ulong Flags, ulong Offset, ulong Size, uint Link);
}
