using BpfRemote.Btf;
using BpfRemote.Cli.Entries;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Top;

/// <summary>The number in values that entries are compared by: a field, or the sum of one that is an array, such as a histogram's slots.</summary>
internal sealed class SortField
{
    private const int MostLeaves = 1024;

    // What people look at first, where a value has it.
    private static readonly string[] Preferred =
        ["packets", "pkts", "bytes", "count", "counts", "counter", "cnt", "hits", "calls", "events", "total"];

    private readonly Reader _read;
    private readonly bool _isSigned;

    private SortField(string title, string name, bool isSigned, Reader read)
    {
        Title = title;
        Name = name;
        _isSigned = isSigned;
        _read = read;
    }

    private delegate ulong Reader(ReadOnlySpan<byte> value);

    /// <summary>For people.</summary>
    public string Title { get; }

    /// <summary>The field's name, dotted where it is nested; empty where the value is the number.</summary>
    public string Name { get; }

    /// <summary>The field of a map's values.</summary>
    /// <param name="layout">The shape of entries with one value.</param>
    /// <param name="schema">What they are; null where that is not known.</param>
    /// <param name="path">What the user asks for; null where that is left open.</param>
    /// <exception cref="CommandException">There is no such field, or no number in it.</exception>
    public static SortField Of(Layout layout, MapSchema? schema, string? path)
    {
        if (schema is not null)
        {
            return path is null ? Default(layout, schema.Value) : Named(schema.Value, path);
        }

        if (path is not null)
        {
            throw CommandException.Usage($"--sort names a field, and the types of map {layout.MapId} are not known: give them with --btf");
        }

        return NodeNumber.Fits(layout.ValueStride)
            ? new("VALUE", "", isSigned: false, value => NodeNumber.Read(value, layout.ByteOrder))
            : throw CommandException.Usage(
                $"the values of map {layout.MapId} have {layout.ValueStride} bytes, and which numbers are in them is not known: "
                + "give their types with --btf");
    }

    /// <summary>The number in a value, as bits.</summary>
    public ulong Read(ReadOnlySpan<byte> value) => _read(value);

    /// <summary>What bits stand for.</summary>
    public Int128 Number(ulong bits) => _isSigned ? unchecked((long)bits) : bits;

    private static SortField Named(BtfValueLayout value, string path)
    {
        try
        {
            BtfField field = value.FindField(path);
            return IsNumber(field.Layout) || IsNumbers(field.Layout)
                ? Of(value, field, path)
                : throw CommandException.Usage(
                    $"--sort takes an integer of at most 64 bits or an array of larger ones than bytes, and {path} is {field.Layout.TypeName}");
        }
        catch (BtfTextException error)
        {
            throw CommandException.Usage($"--sort: {error.Message}");
        }
    }

    private static SortField Default(Layout layout, BtfValueLayout value)
    {
        value.TryGetLeaves(MostLeaves, out IReadOnlyList<BtfField> leaves);
        BtfField[] numbers = [.. leaves.Where(static leaf => IsNumber(leaf.Layout) && IsShownAsNumber(leaf))];
        BtfField? found = Preferred.Select(word => Array.Find(numbers, field => Words(field.Name).Contains(word))).FirstOrDefault(static field => field is not null)
            ?? numbers.FirstOrDefault()
            ?? leaves.FirstOrDefault(static leaf => IsNumbers(leaf.Layout));
        return found is not null
            ? Of(value, found, found.Name)
            : throw CommandException.Usage($"the values of map {layout.MapId} are {value.TypeName}, in which no field is an integer to sort by");
    }

    private static SortField Of(BtfValueLayout value, BtfField field, string name)
    {
        string title = name.Length > 0 ? name : "VALUE";
        return field.Layout.Element is { } element
            ? new($"{title} (sum)", name, element.IsSigned, bytes => Sum(value.Read(bytes).Field(field)))
            : new(title, name, field.Layout.IsSigned, bytes => unchecked((ulong)value.Read(bytes).Field(field).ReadInt128()));
    }

    private static ulong Sum(BtfValue array)
    {
        ulong sum = 0;
        for (int i = 0; i < array.Count; i++)
        {
            sum += unchecked((ulong)array[i].ReadInt128());
        }

        return sum;
    }

    // In network order it would be another number than the one that is shown.
    private static bool IsNumber(BtfValueLayout layout) =>
        layout is { Kind: BtfValueKind.Integer, Size: <= sizeof(ulong), TypeName: not ("__be16" or "__be32" or "__be64") };

    // Arrays of bytes are text, addresses and padding.
    private static bool IsNumbers(BtfValueLayout layout) => layout.Element is { Size: > 1 } element && IsNumber(element);

    private static bool IsShownAsNumber(BtfField field) => !FieldColumn.IsPadding(field.Name) && new BtfTextFormat(field).IsNumber;

    private static string[] Words(string name) => name[(name.LastIndexOf('.') + 1)..].ToLowerInvariant().Split('_');
}
