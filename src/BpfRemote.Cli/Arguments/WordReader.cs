namespace BpfRemote.Cli.Arguments;

/// <summary>Reads the words of bpftool's grammar one after the other.</summary>
internal sealed class WordReader(IReadOnlyList<string> words)
{
    private int _next;

    public bool AtEnd => _next == words.Count;

    /// <summary>The words that are left, which stay so.</summary>
    public IEnumerable<string> Rest => words.Skip(_next);

    /// <summary>Whether the next word is a keyword or, as bpftool allows, an abbreviation of it; if so it is taken.</summary>
    public bool TryTakeKeyword(string keyword)
    {
        if (AtEnd || words[_next].Length == 0 || !keyword.StartsWith(words[_next], StringComparison.Ordinal))
        {
            return false;
        }

        _next++;
        return true;
    }

    /// <summary>Takes the next word.</summary>
    /// <exception cref="CommandException">There is none: what was expected is said.</exception>
    public string Take(string expected) =>
        AtEnd ? throw CommandException.Usage($"expected {expected}") : words[_next++];

    /// <summary>Takes the words that are left.</summary>
    public string[] TakeAll()
    {
        string[] rest = [.. Rest];
        _next = words.Count;
        return rest;
    }

    /// <exception cref="CommandException">There are words left.</exception>
    public void ExpectEnd()
    {
        if (!AtEnd)
        {
            throw CommandException.Usage($"what is '{words[_next]}'?");
        }
    }
}
