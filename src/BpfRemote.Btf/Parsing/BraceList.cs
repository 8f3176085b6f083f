namespace BpfRemote.Btf;

/// <summary>Takes <c>{1, {2, 3}, "a, b"}</c> apart, as C writes initial values.</summary>
internal static class BraceList
{
    /// <summary>Gives the items, trimmed; false where the text is no list in braces that match.</summary>
    public static bool TrySplit(string text, out List<string> items)
    {
        items = [];
        if (text.Length < 2 || text[0] != '{' || text[^1] != '}')
        {
            return false;
        }

        int depth = 0, start = 1;
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"' or '\'':
                    i = EndOfQuoted(text, i);
                    break;
                case '{':
                    depth++;
                    break;
                case ',' when depth == 1:
                    items.Add(text[start..i].Trim());
                    start = i + 1;
                    break;
                case '}' when --depth == 0 && i < text.Length - 1:
                    return false;
                default:
                    break;
            }
        }

        string last = text[Math.Min(start, text.Length - 1)..^1].Trim();
        if (last.Length > 0 || items.Count > 0)
        {
            items.Add(last);
        }

        return depth == 0;
    }

    // Where there is no end, that of the text: then the braces do not match.
    private static int EndOfQuoted(string text, int start)
    {
        for (int i = start + 1; i < text.Length; i++)
        {
            if (text[i] == text[start])
            {
                return i;
            }

            i += text[i] == '\\' ? 1 : 0;
        }

        return text.Length;
    }
}
