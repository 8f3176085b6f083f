using System.Globalization;

namespace BpfRemote.Btf;

/// <summary>Finds a part of a value by what somebody writes for it: <c>key.saddr</c>, <c>slots[3]</c>, <c>rows[1][2].count</c>.</summary>
internal static class FieldPath
{
    private const int MostListed = 20;

    /// <param name="whole">Where to look; the part's offset is in what this one's is in.</param>
    /// <param name="path">Empty for the whole itself.</param>
    /// <exception cref="BtfTextException">There is no such part; the message says what there is.</exception>
    public static BtfField Resolve(BtfField whole, string path)
    {
        BtfField field = whole;
        if (path.Length == 0)
        {
            return field;
        }

        string[] segments = path.Split('.');
        for (int i = 0; i < segments.Length; i++)
        {
            int bracket = segments[i].IndexOf('[', StringComparison.Ordinal);
            bool isIndexOfWhole = i == 0 && bracket == 0;
            if (!isIndexOfWhole)
            {
                field = Named(field, bracket < 0 ? segments[i] : segments[i][..bracket]);
            }

            if (bracket >= 0)
            {
                field = Indexed(field, segments[i][bracket..]);
            }
        }

        return field;
    }

    private static BtfField Named(BtfField whole, string name)
    {
        if (whole.Layout.TryGetField(name, out BtfField? field))
        {
            return field.Within(whole);
        }

        Dictionary<string, BtfField>.KeyCollection names = whole.Layout.ByName.Keys;
        string listed = names.Count switch
        {
            0 => "it has no fields",
            <= MostListed => $"it has {string.Join(", ", names)}",
            _ => $"it has {string.Join(", ", names.Take(MostListed))} and {names.Count - MostListed} more",
        };
        throw new BtfTextException($"{whole.Layout.TypeName} has no field '{name}': {listed}.{NearNames.Suggest(name, names)}");
    }

    private static BtfField Indexed(BtfField array, string brackets)
    {
        if (brackets[^1] != ']')
        {
            throw new BtfTextException($"'{brackets}' is not an index such as [3].");
        }

        BtfField field = array;
        foreach (string index in brackets[1..^1].Split("]["))
        {
            if (field.Layout.Kind != BtfValueKind.Array)
            {
                throw new BtfTextException($"{field.Layout.TypeName} is no array, so that it has no element {index}.");
            }

            field = int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < field.Layout.Count
                ? field.Element(number)
                : throw new BtfTextException(
                    $"'{index}' is no index of {field.Layout.TypeName}, whose {field.Layout.Count} elements count from 0.");
        }

        return field;
    }
}
