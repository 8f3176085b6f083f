using System.Globalization;
using System.Text;

namespace BpfRemote.Btf;

/// <summary>The name of a type as somebody writes it: <c>struct conn_key</c>, <c>conn_key</c>, <c>u32</c>, <c>unsigned int</c>.</summary>
internal sealed class TypeName
{
    private const int MostListed = 10;

    // Where a name without a keyword fits several kinds, the first of these counts.
    private static readonly BtfKind[] Precedence =
        [BtfKind.Struct, BtfKind.Union, BtfKind.Enum, BtfKind.Typedef, BtfKind.Int, BtfKind.Float, BtfKind.DataSec];

    private readonly string _text;
    private readonly BtfKind[] _kinds;
    private readonly string _name;
    private readonly string? _number;

    public TypeName(string text)
    {
        string[] words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        (_kinds, words) = words switch
        {
            ["struct", .. var rest] => ([BtfKind.Struct], rest),
            ["union", .. var rest] => ([BtfKind.Union], rest),
            ["enum", .. var rest] => ([BtfKind.Enum], rest),
            _ => (Precedence, words),
        };
        _text = text;
        _name = string.Join(' ', words);
        _number = _kinds == Precedence ? NumberName(words) : null;
        if (words.Length == 0 || (words.Length > 1 && _number is null))
        {
            throw new BtfTextException(
                $"'{text}' is not the name of a type, such as struct conn_key, conn_key, u32 or unsigned int; "
                + "pointers, arrays and qualified types have none.");
        }
    }

    /// <summary>Finds the type; goes through all types.</summary>
    /// <exception cref="BtfTextException">There is none or more than one.</exception>
    public BtfType FindIn(BtfTypes types)
    {
        if (uint.TryParse(_name, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) && id < types.Count)
        {
            return types[id];
        }

        List<BtfType>[] found = [.. Precedence.Select(_ => new List<BtfType>())];
        byte[] name = Encoding.UTF8.GetBytes(_name);
        for (id = 1; id < types.Count; id++)
        {
            BtfType type = types[id];
            int kind = Array.IndexOf(_kinds, KindOf(type));
            if (kind >= 0 && (type.NameUtf8.SequenceEqual(name) || (_number is not null && IsNumber(type))))
            {
                found[kind].Add(type);
            }
        }

        return found.FirstOrDefault(ofKind => ofKind.Count > 0) switch
        {
            [var only] => only,
            { } several => throw new BtfTextException(
                $"'{_text}' may be {List(several)}: take the number of the one that is meant instead of its name."),
            null => throw new BtfTextException($"There is no type '{_text}'.{NearNames.Suggest(_name, NamesIn(types))}"),
        };
    }

    private static BtfKind KindOf(BtfType type) => type.Kind == BtfKind.Enum64 ? BtfKind.Enum : type.Kind;

    private static string List(List<BtfType> types)
    {
        string listed = string.Join(" or ", types.Take(MostListed).Select(type => $"type {type.Id} ({Describe(type)})"));
        return types.Count > MostListed ? $"{listed} or one of {types.Count - MostListed} more" : listed;
    }

    private static string Describe(BtfType type) => type.Kind == BtfKind.Typedef ? $"{type}" : $"{type}, {type.Size} bytes";

    /// <summary>
    /// What all spellings of a number's type have in common, as compilers differ: <c>long unsigned int</c> is <c>unsigned long</c>.
    /// </summary>
    private static string? NumberName(string[] words)
    {
        if (words.Length == 0 || !words.All(word => word is "signed" or "unsigned" or "char" or "short" or "int" or "long"))
        {
            return null;
        }

        bool isCharacter = words.Contains("char");
        bool hasWidth = isCharacter || words.Contains("short") || words.Contains("long");
        IEnumerable<string> telling = words.Where(word => word != "int" && (word != "signed" || isCharacter));
        return string.Join(' ', telling.Append(hasWidth ? "" : "int").Order(StringComparer.Ordinal)).Trim();
    }

    private bool IsNumber(BtfType type) => type.Kind == BtfKind.Int && NumberName(type.Name.Split(' ')) == _number;

    private IEnumerable<string> NamesIn(BtfTypes types)
    {
        for (uint id = 1; id < types.Count; id++)
        {
            if (_kinds.Contains(KindOf(types[id])) && !types[id].NameUtf8.IsEmpty)
            {
                yield return types[id].Name;
            }
        }
    }
}
