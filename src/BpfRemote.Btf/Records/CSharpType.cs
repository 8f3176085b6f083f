using System.Runtime.CompilerServices;

namespace BpfRemote.Btf;

/// <summary>What a field of a C# struct is.</summary>
internal readonly struct CSharpType
{
    private static readonly Type[] Signed = [typeof(sbyte), typeof(short), typeof(int), typeof(long), typeof(Int128), typeof(nint)];
    private static readonly Type[] Unsigned = [typeof(byte), typeof(ushort), typeof(uint), typeof(ulong), typeof(UInt128), typeof(nuint)];
    private static readonly Type[] Floats = [typeof(Half), typeof(float), typeof(double)];

    private readonly Type _type;
    private readonly Shape _shape;

    public CSharpType(Type type)
    {
        _type = type;
        Size = RuntimeHelpers.SizeOf(type.TypeHandle);
        Type number = type.IsEnum ? Enum.GetUnderlyingType(type) : type;
        _shape = number switch
        {
            _ when Signed.Contains(number) => Shape.Signed,
            _ when Unsigned.Contains(number) => Shape.Unsigned,
            _ when Floats.Contains(number) => Shape.Float,
            _ when number == typeof(bool) => Shape.Boolean,
            { IsPrimitive: true } or { IsPointer: true } or { IsFunctionPointer: true } => Shape.Other,
            _ => Shape.Struct,
        };
    }

    private enum Shape
    {
        Signed,
        Unsigned,
        Float,
        Boolean,
        Struct,
        Other,
    }

    /// <summary>Bytes of a value.</summary>
    public int Size { get; }

    private bool IsNumber => _shape is Shape.Signed or Shape.Unsigned;

    /// <summary>What a part of a value is, for people.</summary>
    public static string Describe(BtfField source)
    {
        BtfValueLayout layout = source.Layout;
        string sign = layout.Kind == BtfValueKind.Integer ? layout.IsSigned ? "signed " : "unsigned " : "";
        string kind = $"{sign}{layout.Kind.ToString().ToLowerInvariant()}";
        string order = layout.Order.IsForeign ? ", in the other byte order" : "";
        return source.BitSize != 0
            ? $"{layout.TypeName} ({kind} of {source.BitSize} bits{order})"
            : $"{layout.TypeName} ({kind} of {layout.Size} bytes{order})";
    }

    /// <summary>Whether a field of this type can hold a part of a value as it is.</summary>
    public bool CanTake(BtfField source)
    {
        BtfValueLayout layout = source.Layout;
        bool hasSize = source.BitSize != 0 ? source.BitSize <= Size * 8 : layout.Size == Size;
        return hasSize && layout.Kind switch
        {
            BtfValueKind.Integer when layout.IsCharacter => IsNumber,
            BtfValueKind.Integer => _shape == (layout.IsSigned ? Shape.Signed : Shape.Unsigned),
            BtfValueKind.Boolean => IsNumber || _shape == Shape.Boolean,
            BtfValueKind.Character or BtfValueKind.Enumeration => IsNumber,
            BtfValueKind.Pointer => _shape == Shape.Unsigned,
            BtfValueKind.Float => _shape == Shape.Float,
            // The parts of a struct would have to be turned round one by one.
            _ => _shape == Shape.Struct && (!layout.Order.IsForeign || layout.Element is { Size: 1 }),
        };
    }

    /// <summary>The type's name and size.</summary>
    public override string ToString() => $"{_type.Name} ({_shape.ToString().ToLowerInvariant()} of {Size} bytes)";
}
