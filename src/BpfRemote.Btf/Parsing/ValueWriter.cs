using System.Text;

namespace BpfRemote.Btf;

/// <summary>Writes what somebody gave for one part of a value into its bytes.</summary>
/// <param name="value">The whole value.</param>
/// <param name="rawValues">Whether addresses and network order are the numbers that their kinds say.</param>
/// <param name="written">Takes the parts that were written: what is no struct, and arrays with each of their elements.</param>
internal readonly ref struct ValueWriter(Span<byte> value, bool rawValues, List<BtfField> written)
{
    private readonly Span<byte> _value = value;

    /// <exception cref="BtfTextException">The text is none for this part; the message says what was expected.</exception>
    public void Write(BtfField field, string text) => Write(field, text, depth: 0);

    private void Write(BtfField field, string text, int depth)
    {
        if (depth > LayoutResolver.MaxDepth)
        {
            throw new BtfTextException($"{Place(field)} is given in braces nested more than {LayoutResolver.MaxDepth} deep.");
        }

        ValueMeaning meaning = rawValues || field.BitSize != 0 ? ValueMeaning.None : NameMeaning.Of(field.Layout, field.Name);
        if (TryWriteAddress(field, text, meaning))
        {
            written.Add(field);
            return;
        }

        switch (field.Layout.Kind)
        {
            case BtfValueKind.Struct or BtfValueKind.Union or BtfValueKind.Section:
                WriteFields(field, text, meaning, depth);
                return;
            case BtfValueKind.Array when field.Layout.Element!.IsCharacter:
                WriteCharacters(field, text);
                break;
            case BtfValueKind.Array:
                WriteElements(field, text, meaning, depth);
                break;
            default:
                ScalarParser.Write(field, text, meaning, _value[field.Offset..]);
                break;
        }

        written.Add(field);
    }

    private bool TryWriteAddress(BtfField field, string text, ValueMeaning meaning) => meaning switch
    {
        ValueMeaning.Ipv4 => AddressText.TryParseIpv4(text, _value.Slice(field.Offset, field.Layout.Size)),
        ValueMeaning.Ipv6 => AddressText.TryParseIpv6(text, _value.Slice(field.Offset, field.Layout.Size)),
        ValueMeaning.Mac => AddressText.TryParseMac(text, _value.Slice(field.Offset, field.Layout.Size)),
        _ => false,
    };

    private void WriteFields(BtfField whole, string text, ValueMeaning meaning, int depth)
    {
        if (!BraceList.TrySplit(text, out List<string> items))
        {
            throw Not(whole, text, $"{ScalarParser.Address(meaning)}fields in braces such as {{.a = 1, .b = 2}}");
        }

        foreach (string item in items)
        {
            // Braces without a name are an anonymous member's, whose fields belong to the whole.
            if (item.StartsWith('{'))
            {
                Write(whole, item, depth + 1);
                continue;
            }

            int equals = item.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                throw Not(whole, item, "a field and its value such as .a = 1");
            }

            string path = item[..equals].Trim();
            Write(FieldPath.Resolve(whole, path.StartsWith('.') ? path[1..] : path), item[(equals + 1)..].Trim(), depth + 1);
        }
    }

    private void WriteElements(BtfField array, string text, ValueMeaning meaning, int depth)
    {
        int count = array.Layout.Count;
        if (!BraceList.TrySplit(text, out List<string> items) || items.Count != count)
        {
            throw Not(array, text, $"{ScalarParser.Address(meaning)}{count} elements in braces such as {{1, 2, 3}}");
        }

        for (int i = 0; i < count; i++)
        {
            Write(array.Element(i), items[i], depth + 1);
        }
    }

    private void WriteCharacters(BtfField array, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (text.StartsWith('"') && !CharacterText.TryParseC(text, '"', out bytes))
        {
            throw Not(array, text, "a string of C, which ends with a quote");
        }

        Span<byte> characters = _value.Slice(array.Offset, array.Layout.Size);
        if (bytes.Length > characters.Length)
        {
            throw Not(array, text, $"a text of at most {characters.Length} bytes: it has {bytes.Length}");
        }

        characters.Clear();
        bytes.CopyTo(characters);
    }

    private static string Place(BtfField field) => field.Name.Length > 0 ? field.Name : field.Layout.TypeName;

    private static BtfTextException Not(BtfField field, string text, string expected) =>
        new($"{Place(field)}: '{text}' is not {expected}.");
}
