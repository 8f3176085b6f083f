using System.Reflection;
using System.Text.Json;

namespace BpfRemote.Btf;

/// <summary>A field of a C# struct and the part of a value that it is read from.</summary>
internal readonly struct RecordField
{
    private static readonly BtfByteOrder MachineOrder = new(IsBigEndian: !BitConverter.IsLittleEndian);

    private readonly BtfField _source;
    private readonly int _offset;
    private readonly int _size;

    private RecordField(BtfField source, int offset, int size)
    {
        _source = source;
        _offset = offset;
        _size = size;
    }

    /// <summary>Whether it is the same bytes at the same place.</summary>
    public bool IsInPlace => _source.BitSize == 0 && _source.Offset == _offset && !IsSwapped;

    private bool IsSwapped => _size > 1 && _source.Layout.Order.IsForeign && _source.Layout.Kind != BtfValueKind.Array;

    /// <summary>Finds the part and checks that the field can take it.</summary>
    /// <param name="layout">Of the values.</param>
    /// <param name="field">The field.</param>
    /// <param name="offset">Where it is in the struct, in bytes.</param>
    /// <param name="bound">The field.</param>
    /// <param name="mismatch">A sentence, where it cannot.</param>
    public static bool TryBind(BtfValueLayout layout, FieldInfo field, int offset, out RecordField bound, out string mismatch)
    {
        bound = default;
        try
        {
            BtfField source = Source(layout, field);
            CSharpType type = new(field.FieldType);
            bound = new(source, offset, type.Size);
            mismatch = type.CanTake(source)
                ? ""
                : $"Field {field.Name}: BTF has {CSharpType.Describe(source)}, C# has {type}.";
        }
        catch (BtfTextException missing)
        {
            mismatch = $"Field {field.Name}: {missing.Message}";
        }

        return mismatch.Length == 0;
    }

    /// <summary>Reads the field.</summary>
    /// <param name="value">The whole value.</param>
    /// <param name="record">The bytes of the whole struct.</param>
    public void Read(ReadOnlySpan<byte> value, Span<byte> record)
    {
        Span<byte> bytes = record.Slice(_offset, _size);
        if (_source.BitSize != 0)
        {
            Int128 number = new BtfValue(_source.Layout, value[_source.Offset..], _source.BitOffset, _source.BitSize).ReadInt128();
            MachineOrder.Write(bytes, bitOffset: 0, _size * 8, (UInt128)number);
            return;
        }

        value.Slice(_source.Offset, _size).CopyTo(bytes);
        if (IsSwapped)
        {
            bytes.Reverse();
        }
    }

    private static BtfField Source(BtfValueLayout layout, FieldInfo field)
    {
        if (field.GetCustomAttribute<BtfFieldAttribute>() is { } named)
        {
            return FieldPath.Resolve(BtfField.Whole(layout), named.Path);
        }

        string snakeCase = JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name);
        return layout.TryGetField(field.Name, out BtfField? exact)
            ? exact
            : FieldPath.Resolve(BtfField.Whole(layout), snakeCase);
    }
}
