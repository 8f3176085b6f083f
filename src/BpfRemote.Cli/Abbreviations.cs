using System.CommandLine;

namespace BpfRemote.Cli;

/// <summary>Commands may be abbreviated as bpftool's: <c>m l</c> is <c>map list</c>; the first that fits is meant.</summary>
internal static class Abbreviations
{
    /// <summary>Writes abbreviated commands out.</summary>
    /// <param name="root">The commands and options there are.</param>
    /// <param name="args">The words of the command line.</param>
    public static IReadOnlyList<string> Expand(Command root, IReadOnlyList<string> args)
    {
        string[] expanded = [.. args];
        Command command = root;
        for (int i = 0; i < expanded.Length && command.Subcommands.Count > 0; i++)
        {
            string word = expanded[i];
            if (word.StartsWith('-'))
            {
                i += TakesNextWord(root, word) ? 1 : 0;
                continue;
            }

            if (Find(command, word) is not { } found)
            {
                break;
            }

            command = found;
            expanded[i] = found.Aliases.Contains(word) ? word : found.Name;
        }

        return expanded;
    }

    private static Command? Find(Command parent, string word) => word.Length == 0
        ? null
        : parent.Subcommands.FirstOrDefault(command => command.Name == word || command.Aliases.Contains(word))
            ?? parent.Subcommands.FirstOrDefault(command => Names(command).Any(name => name.StartsWith(word, StringComparison.Ordinal)));

    private static IEnumerable<string> Names(Command command) => command.Aliases.Prepend(command.Name);

    private static bool TakesNextWord(Command root, string word) => root.Options.Any(
        option => option.Arity.MinimumNumberOfValues > 0 && (option.Name == word || option.Aliases.Contains(word)));
}
