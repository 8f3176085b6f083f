using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BpfRemote.Btf;

/// <summary>
/// Reads values into a C# struct, field by field, whatever their places in either are. Bound once to a layout; immutable, threads may
/// share it.
/// </summary>
/// <remarks>
/// Every public field of the struct is read from the field of its name, of its name in snake case (<c>RxBytes</c> from
/// <c>rx_bytes</c>), or of the path that <see cref="BtfFieldAttribute"/> gives; what the value has besides is passed over. Checked, and
/// never converted, are: numbers by kind, size and sign, where a bitfield needs a number that is at least as large; booleans and
/// <c>char</c> take <c>bool</c> or any number of one byte; enumerations take C# enumerations and numbers of their size, signed or not,
/// as C gives them a sign by their values; pointers take <c>ulong</c> and <c>nuint</c>; structs, unions and arrays take structs,
/// <c>[InlineArray]</c> among them, of their size, whose fields are not looked at.
/// </remarks>
/// <typeparam name="T">The struct. It must have public fields: properties, those of records too, are not written.</typeparam>
public sealed class BtfRecord<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>
    where T : unmanaged
{
    private readonly BtfValueLayout _layout;
    private readonly RecordField[] _fields;

    /// <summary>Finds and checks the fields.</summary>
    /// <param name="layout">Of the values.</param>
    /// <exception cref="BtfMismatchException">A field is not there or is something else; the message lists all that are.</exception>
    public BtfRecord(BtfValueLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        _layout = layout;
        FieldInfo[] fields = typeof(T).GetFields(BindingFlags.Public | BindingFlags.Instance);
        List<string> mismatches = fields.Length > 0 ? [] : ["it has no public fields."];
        List<RecordField> bound = [];
        foreach (FieldInfo field in fields)
        {
            if (RecordField.TryBind(layout, field, OffsetOf(field), out RecordField found, out string mismatch))
            {
                bound.Add(found);
            }
            else
            {
                mismatches.Add(mismatch);
            }
        }

        if (mismatches.Count > 0)
        {
            throw new BtfMismatchException(typeof(T).Name, layout.TypeName, mismatches);
        }

        _fields = [.. bound];
        IsBlittable = layout.Size == Unsafe.SizeOf<T>() && bound.TrueForAll(field => field.IsInPlace);
    }

    /// <summary>Whether the struct is laid out as the values are, bit for bit, so that <see cref="Cast"/> reads them in place.</summary>
    public bool IsBlittable { get; }

    /// <summary>Reads a value. Nothing is allocated.</summary>
    /// <param name="value">The bytes; what is behind the layout's size is passed over.</param>
    /// <exception cref="ArgumentException">There are too few bytes.</exception>
    public T Read(ReadOnlySpan<byte> value)
    {
        _layout.RequireSize(value);
        if (IsBlittable)
        {
            return MemoryMarshal.Read<T>(value);
        }

        T record = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<T>(ref record));
        foreach (RecordField field in _fields)
        {
            field.Read(value, bytes);
        }

        return record;
    }

    /// <summary>Reads values in place.</summary>
    /// <param name="values">One after the other, without padding between them; they must stay as long as the result is used.</param>
    /// <exception cref="InvalidOperationException">They are laid out otherwise: <see cref="IsBlittable"/> is false.</exception>
    /// <exception cref="ArgumentException">The last one is cut off.</exception>
    public ReadOnlySpan<T> Cast(ReadOnlySpan<byte> values)
    {
        if (!IsBlittable)
        {
            throw new InvalidOperationException(
                $"{typeof(T).Name} is not laid out as {_layout.TypeName} is: read the values one by one.");
        }

        return values.Length % _layout.Size == 0
            ? MemoryMarshal.Cast<byte, T>(values)
            : throw new ArgumentException($"{values.Length} bytes are not values of {_layout.Size} each.", nameof(values));
    }

    /// <summary>
    /// Where a field is: a struct whose every byte is the byte's place is asked for the field, whose first byte then is the field's
    /// place. <see cref="Marshal.OffsetOf(Type, string)"/> would say where it is for native code, which takes 4 bytes for a <c>bool</c>.
    /// </summary>
    private static int OffsetOf(FieldInfo field)
    {
        T places = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<T>(ref places));
        int offset = 0;
        for (int shift = 0; bytes.Length - 1 >> shift > 0; shift += 8)
        {
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)(i >> shift);
            }

            offset |= FirstByte(field.GetValue(places)!) << shift;
        }

        return offset;
    }

    // What a boxed value holds begins where the one field of any other object does.
    private static byte FirstByte(object boxed) => Unsafe.As<StrongBox<byte>>(boxed).Value;
}
