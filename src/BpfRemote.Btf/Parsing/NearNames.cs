namespace BpfRemote.Btf;

/// <summary>Finds the names that somebody may have meant who wrote one that is not there.</summary>
internal static class NearNames
{
    private const int MostSuggested = 3;
    private const int LongestCompared = 64;

    /// <summary><c> Did you mean a, b or c?</c>, with the space before it; empty where nothing is near.</summary>
    public static string Suggest(string wanted, IEnumerable<string> names)
    {
        int limit = wanted.Length < 4 ? 1 : 2;
        string[] near =
        [
            .. names.Distinct()
                .Select(name => (Name: name, Distance: Distance(wanted, name, limit)))
                .Where(candidate => candidate.Distance <= limit)
                .OrderBy(candidate => candidate.Distance)
                .Take(MostSuggested)
                .Select(candidate => candidate.Name)
        ];
        return near switch
        {
            [] => "",
            [var only] => $" Did you mean {only}?",
            [.. var first, var last] => $" Did you mean {string.Join(", ", first)} or {last}?",
        };
    }

    /// <summary>How many characters are to be put in, left out or changed; case and leading underscores count as nothing.</summary>
    private static int Distance(string wanted, string name, int limit)
    {
        ReadOnlySpan<char> a = wanted.TrimStart('_'), b = name.TrimStart('_');
        if (a.Length > LongestCompared || Math.Abs(a.Length - b.Length) > limit)
        {
            return limit + 1;
        }

        Span<int> row = stackalloc int[LongestCompared + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            row[i] = i;
        }

        for (int j = 1; j <= b.Length; j++)
        {
            int diagonal = row[0];
            row[0] = j;
            for (int i = 1; i <= a.Length; i++)
            {
                int changed = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[i];
                row[i] = Math.Min(changed, Math.Min(row[i], row[i - 1]) + 1);
            }
        }

        return row[a.Length];
    }
}
