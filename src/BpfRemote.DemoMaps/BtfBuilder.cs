using BpfRemote.DemoMaps.Interop;
using BpfRemote.Libbpf;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.DemoMaps;

/// <summary>How the bytes of a BTF integer are meant (<c>BTF_INT_…</c> of <c>linux/btf.h</c>); none of these is unsigned.</summary>
[Flags]
public enum BtfIntEncoding
{
    None = 0,
    Signed = 1,
    Char = 2,
    Bool = 4,
}

/// <summary>
/// Describes C types to the kernel without a compiler. Each method adds a type and returns its id; a type is added before
/// what refers to it. Throws <see cref="BpfException"/> for what libbpf or the kernel refuses.
/// </summary>
public sealed class BtfBuilder : IDisposable
{
    private readonly SafeBtfHandle _btf = LibbpfBtf.btf__new_empty();

    public BtfBuilder()
    {
        if (_btf.IsInvalid)
        {
            throw new BpfException(nameof(LibbpfBtf.btf__new_empty), Errno.ENOMEM, "an empty BTF");
        }
    }

    /// <param name="name">The C name, such as <c>unsigned int</c>.</param>
    /// <param name="size">Bytes: 1, 2, 4, 8 or 16.</param>
    /// <param name="encoding">How the bytes are meant.</param>
    public uint Int(string name, int size, BtfIntEncoding encoding = BtfIntEncoding.None) =>
        Checked(LibbpfBtf.btf__add_int(_btf, name, (nuint)size, (int)encoding), nameof(LibbpfBtf.btf__add_int), name);

    public uint Typedef(string name, uint type) =>
        Checked(LibbpfBtf.btf__add_typedef(_btf, name, type), nameof(LibbpfBtf.btf__add_typedef), name);

    /// <param name="element">The type of one element.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="index">An integer type; BTF wants one, and nothing reads it.</param>
    public uint Array(uint element, int count, uint index) =>
        Checked(
            LibbpfBtf.btf__add_array(_btf, index, element, (uint)count),
            nameof(LibbpfBtf.btf__add_array),
            $"{count} elements");

    /// <summary>A four-byte enum whose values count up from 0.</summary>
    public uint Enum(string name, params ReadOnlySpan<string> values)
    {
        uint id = Checked(LibbpfBtf.btf__add_enum(_btf, name, sizeof(int)), nameof(LibbpfBtf.btf__add_enum), name);
        for (int value = 0; value < values.Length; value++)
        {
            Checked(
                LibbpfBtf.btf__add_enum_value(_btf, values[value], value),
                nameof(LibbpfBtf.btf__add_enum_value),
                values[value]);
        }

        return id;
    }

    /// <summary>A struct, laid out as a C compiler lays it out.</summary>
    public uint Struct(string name, params ReadOnlySpan<(string Name, uint Type)> fields)
    {
        Span<uint> offsets = stackalloc uint[fields.Length];
        uint end = 0;
        uint alignment = 1;
        for (int i = 0; i < fields.Length; i++)
        {
            uint own = AlignmentOf(fields[i].Type);
            offsets[i] = RoundUp(end, own);
            end = offsets[i] + SizeOf(fields[i].Type);
            alignment = Math.Max(alignment, own);
        }

        uint size = RoundUp(end, alignment);
        uint id = Checked(LibbpfBtf.btf__add_struct(_btf, name, size), nameof(LibbpfBtf.btf__add_struct), name);
        for (int i = 0; i < fields.Length; i++)
        {
            Checked(
                LibbpfBtf.btf__add_field(_btf, fields[i].Name, fields[i].Type, offsets[i] * 8, bit_size: 0),
                nameof(LibbpfBtf.btf__add_field),
                $"{name}.{fields[i].Name}");
        }

        return id;
    }

    /// <summary>Hands the types to the kernel, which keeps them while the handle or a map made with it is open.</summary>
    public SafeFileHandle Load()
    {
        KernelCall.Checked(
            LibbpfBtf.btf__load_into_kernel(_btf), nameof(LibbpfBtf.btf__load_into_kernel), "the types described");
        SafeFileHandle handle = new(LibbpfBtf.btf__fd(_btf), ownsHandle: true);
        LibbpfBtf.btf__set_fd(_btf, -1); // the handle owns the fd now: btf__free must not close it
        return handle;
    }

    public void Dispose() => _btf.Dispose();

    private uint SizeOf(uint type) =>
        Checked((int)LibbpfBtf.btf__resolve_size(_btf, type), nameof(LibbpfBtf.btf__resolve_size), $"type {type}");

    private uint AlignmentOf(uint type) =>
        Checked(LibbpfBtf.btf__align_of(_btf, type), nameof(LibbpfBtf.btf__align_of), $"type {type}");

    private static uint Checked(int result, string operation, string subject) =>
        (uint)KernelCall.Checked(result, operation, subject);

    private static uint RoundUp(uint value, uint multiple) => (value + multiple - 1) / multiple * multiple;
}
