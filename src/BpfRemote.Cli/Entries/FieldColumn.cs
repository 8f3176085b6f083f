using BpfRemote.Btf;

namespace BpfRemote.Cli.Entries;

/// <summary>A field of keys or values, as a column.</summary>
/// <param name="Title">Its name, dotted where it is nested.</param>
/// <param name="Format">Writes it, given the whole key or value.</param>
internal sealed record FieldColumn(string Title, BtfTextFormat Format)
{
    private const int Most = 64;

    /// <summary>The columns of a key or a value.</summary>
    /// <param name="layout">How it lies in memory.</param>
    /// <param name="title">What to call a value that has no fields.</param>
    /// <param name="rawValues">Whether addresses stay the numbers that they are.</param>
    /// <returns>One for each field but padding; one for the whole where there are too many.</returns>
    /// <exception cref="BtfFormatException">A value has too many parts to be written.</exception>
    public static IReadOnlyList<FieldColumn> Of(BtfValueLayout layout, string title, bool rawValues) =>
        layout.TryGetLeaves(Most, out IReadOnlyList<BtfField> leaves)
            ? [.. leaves.Where(static leaf => !IsPadding(leaf.Name)).Select(leaf => new FieldColumn(leaf.Name.Length > 0 ? leaf.Name : title, new(leaf, rawValues)))]
            : [new(title, new BtfTextFormat(layout, rawValues: rawValues))];

    /// <summary>Whether a field is what compilers would put there anyway, spelled out so that every byte of a key has a value.</summary>
    public static bool IsPadding(string name) =>
        name[(name.LastIndexOf('.') + 1)..].Trim('_').TrimEnd([.. "0123456789"]) is "pad" or "padding";
}
