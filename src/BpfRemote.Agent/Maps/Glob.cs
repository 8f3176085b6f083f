namespace BpfRemote.Agent.Maps;

/// <summary>A glob: <c>*</c>, <c>?</c>, <c>[a-z]</c>, <c>[!a-z]</c>; <c>\</c> takes the next character as it is.</summary>
/// <remarks>In a path glob <c>*</c>, <c>?</c> and <c>[</c>…<c>]</c> stop at <c>/</c>, and <c>**</c> does not. Matching takes time in
/// proportion to pattern × text, whatever the pattern.</remarks>
internal sealed class Glob
{
    private readonly List<Element> _elements = [];

    private Glob()
    {
    }

    /// <summary>Parses a glob.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="isPath">Whether wildcards stop at <c>/</c>.</param>
    /// <param name="error">What was expected, where the pattern is none.</param>
    /// <returns>Null where the pattern is none.</returns>
    public static Glob? TryParse(string pattern, bool isPath, out string error)
    {
        Glob glob = new();
        error = "";
        for (int i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '*' when isPath && i + 1 < pattern.Length && pattern[i + 1] == '*':
                    glob._elements.Add(new Element(_ => true, IsRepeated: true));
                    i++;
                    break;
                case '*':
                    glob._elements.Add(new Element(c => !isPath || c != '/', IsRepeated: true));
                    break;
                case '?':
                    glob._elements.Add(new Element(c => !isPath || c != '/', IsRepeated: false));
                    break;
                case '[':
                    int end = pattern.IndexOf(']', Math.Min(i + 2, pattern.Length));
                    if (end < 0)
                    {
                        error = "'[' without ']'";
                        return null;
                    }

                    glob._elements.Add(Class(pattern[(i + 1)..end], isPath));
                    i = end;
                    break;
                case '\\' when i + 1 == pattern.Length:
                    error = "'\\' at the end; expected a character after it";
                    return null;
                case var c:
                    char literal = c == '\\' ? pattern[++i] : c;
                    glob._elements.Add(new Element(x => x == literal, IsRepeated: false) { MinBytes = BytesOf(literal) });
                    break;
            }
        }

        return glob;
    }

    /// <summary>The fewest bytes, as UTF-8, of a text that fits.</summary>
    public int MinBytes => _elements.Sum(element => element.MinBytes);

    /// <summary>Whether the glob fits the whole of a text.</summary>
    public bool Fits(string text)
    {
        // reached[i]: the elements so far fit the first i characters.
        bool[] reached = new bool[text.Length + 1];
        reached[0] = true;
        foreach (Element element in _elements)
        {
            bool before = reached[0];
            reached[0] &= element.IsRepeated;
            for (int i = 0; i < text.Length; i++)
            {
                bool fits = element.Accepts(text[i]);
                bool reachedHere = element.IsRepeated
                    ? reached[i + 1] || (reached[i] && fits)
                    : before && fits;
                before = reached[i + 1];
                reached[i + 1] = reachedHere;
            }
        }

        return reached[^1];
    }

    private static Element Class(string members, bool isPath)
    {
        bool isNegated = members[0] is '!' or '^' && members.Length > 1;
        string set = isNegated ? members[1..] : members;
        return new Element(
            c => (!isPath || c != '/') && Contains(set, c) != isNegated,
            IsRepeated: false);
    }

    private static bool Contains(string set, char c)
    {
        for (int i = 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                if (c >= set[i] && c <= set[i + 2])
                {
                    return true;
                }

                i += 2;
            }
            else if (c == set[i])
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Bytes of a UTF-16 unit as UTF-8; each half of a surrogate pair has half of the pair's four.</summary>
    private static int BytesOf(char c) => c < 0x80 ? 1 : c < 0x800 || char.IsSurrogate(c) ? 2 : 3;

    private readonly record struct Element(Predicate<char> Accepts, bool IsRepeated)
    {
        public int MinBytes { get; init; } = IsRepeated ? 0 : 1;
    }
}
