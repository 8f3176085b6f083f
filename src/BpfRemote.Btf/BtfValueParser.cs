namespace BpfRemote.Btf;

/// <summary>
/// Makes values from what somebody writes for their fields: <c>pid=42 comm=bash saddr=10.0.0.1 state=CONN_NEW flags.x=1 arr[2]=7</c>.
/// What <see cref="BtfTextFormat"/> writes can be given back, in parts or as a whole. Immutable, threads may share it.
/// </summary>
/// <remarks>
/// Numbers are decimal, hexadecimal after <c>0x</c> or octal after <c>0</c>, and must be in their type's range; hexadecimal and octal
/// ones may be the bits of a negative number. Enumerations take names or numbers, <c>char</c> arrays text or a string of C in quotes,
/// single characters <c>'a'</c> or numbers, other arrays <c>{1, 2, 3}</c> with all their elements, structs <c>{.a = 1, .b = 2}</c>.
/// </remarks>
/// <param name="layout">Of the values.</param>
/// <param name="rawValues">Whether addresses and network order are given as the plain numbers that the kinds of the types say.</param>
public sealed class BtfValueParser(BtfValueLayout layout, bool rawValues = false)
{
    /// <summary>Makes a value; bytes that nothing is given for are 0.</summary>
    /// <param name="assignments">
    /// Paths such as <c>key.saddr</c> or <c>slots[3]</c>, and what is given for them; the path of the whole, such as a number, is empty.
    /// </param>
    /// <param name="value">Takes the bytes; what is behind the layout's size is left alone.</param>
    /// <returns>
    /// The leaves (<see cref="BtfValueLayout.TryGetLeaves"/>) that nothing is given for, not even in part: a union's other members are
    /// none of them, nor is an array of which one element is given.
    /// </returns>
    /// <exception cref="BtfTextException">There is no such field, the text is none for it, or two are given for one place.</exception>
    /// <exception cref="ArgumentException"><paramref name="value"/> has too few bytes.</exception>
    public IReadOnlyList<string> Parse(IEnumerable<(string Path, string Text)> assignments, Span<byte> value)
    {
        ArgumentNullException.ThrowIfNull(assignments);
        layout.RequireSize(value);
        value[..layout.Size].Clear();
        List<(string Path, BtfField Field)> given = [];
        List<BtfField> written = [];
        foreach ((string path, string text) in assignments)
        {
            BtfField field = FieldPath.Resolve(BtfField.Whole(layout), path);
            if (given.Find(other => other.Field.Overlaps(field)) is { Field: not null } other)
            {
                throw new BtfTextException($"'{other.Path}' and '{path}' are both given, and they are in one place.");
            }

            given.Add((path, field));
            new ValueWriter(value, rawValues, written).Write(field, text.Trim());
        }

        layout.TryGetLeaves(int.MaxValue, out IReadOnlyList<BtfField> leaves);
        return [.. leaves.Where(leaf => leaf.Width > 0 && !written.Exists(leaf.Overlaps)).Select(leaf => leaf.Name)];
    }
}
