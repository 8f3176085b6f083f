using System.Text;

namespace BpfRemote.Btf.Tests;

/// <summary>Writes ELF files of nothing but sections, right or wrong.</summary>
internal sealed class ElfWriter(bool is64 = true, bool bigEndian = false)
{
    private readonly List<(string Name, uint Type, ulong Flags, byte[] Bytes)> _sections = [("", 0, 0, [])];

    /// <summary>The size that the header gives a section's header.</summary>
    public ushort EntrySize { get; init; } = is64 ? (ushort)64 : (ushort)40;

    /// <summary>Whether the numbers of sections stand in the first section, as where there are too many for the header.</summary>
    public bool Extended { get; init; }

    public ElfWriter Section(string name, byte[] bytes, uint type = 1, ulong flags = 0)
    {
        _sections.Add((name, type, flags, bytes));
        return this;
    }

    public byte[] ToArray()
    {
        string names = string.Join('\0', _sections.Select(section => section.Name).Append(".shstrtab\0"));
        List<(string Name, uint Type, ulong Flags, byte[] Bytes)> sections = [.. _sections, (".shstrtab", 3, 0, Encoding.ASCII.GetBytes(names))];
        int headerSize = is64 ? 64 : 52;
        ulong table = (ulong)(headerSize + sections.Sum(section => section.Bytes.Length));
        ushort count = (ushort)sections.Count, last = (ushort)(count - 1);
        ValueBytes file = new(bigEndian);
        file.U8([0x7f, .. "ELF"u8, (byte)(is64 ? 2 : 1), (byte)(bigEndian ? 2 : 1), 1, 0, .. new byte[8]]).U16(1).U16(247).U32(1);
        Word(Word(Word(file, 0), 0), table).U32(0).U16((ushort)headerSize).U16(0).U16(0).U16(EntrySize);
        file.U16(Extended ? (ushort)0 : count).U16(Extended ? (ushort)0xffff : last);
        foreach (var section in sections)
        {
            file.U8(section.Bytes);
        }

        ulong at = (ulong)headerSize;
        uint name = 0;
        foreach (var section in sections)
        {
            bool isFirst = name == 0 && section.Type == 0;
            Word(file.U32(name).U32(section.Type), section.Flags);
            Word(Word(Word(file, 0), at), isFirst && Extended ? count : (ulong)section.Bytes.Length);
            Word(Word(file.U32(isFirst && Extended ? last : 0u).U32(0), 0), 0);
            at += (ulong)section.Bytes.Length;
            name += (uint)section.Name.Length + 1;
        }

        return file.ToArray();
    }

    private ValueBytes Word(ValueBytes file, ulong value) => is64 ? file.U64(value) : file.U32((uint)value);
}
