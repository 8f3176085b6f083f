using System.CommandLine;
using System.Globalization;

namespace BpfRemote.Cli.Arguments;

/// <summary>Options whose values are checked, with messages that say what was expected.</summary>
internal static class CheckedOptions
{
    /// <summary>An option that takes one of some words.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="aliases">Its other names.</param>
    /// <param name="choices">The words.</param>
    public static Option<string?> Choice(string name, string[] aliases, params string[] choices)
    {
        Option<string?> option = new(name, aliases)
        {
            HelpName = string.Join('|', choices),
            CustomParser = result =>
            {
                string word = result.Tokens[0].Value;
                if (!choices.Contains(word))
                {
                    result.AddError($"{name} is one of {string.Join(", ", choices)}, got: '{word}'");
                }

                return word;
            },
        };
        option.CompletionSources.Add(choices);
        return option;
    }

    /// <summary>An option that takes a number of 1 or more; 0 where it is not given.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="max">The largest number.</param>
    public static Option<ulong> Count(string name, ulong max) => new(name)
    {
        HelpName = "N",
        CustomParser = result =>
        {
            string word = result.Tokens[0].Value;
            if (!ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ulong count) || count == 0 || count > max)
            {
                result.AddError($"{name} is a number from 1 to {max}, got: '{word}'");
            }

            return count;
        },
    };
}
