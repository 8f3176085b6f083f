using System.CommandLine;
using System.Globalization;

namespace BpfRemote.Cli.Arguments;

/// <summary>Options whose values are checked, with messages that say what was expected.</summary>
internal static class CheckedOptions
{
    private static readonly TimeSpan LongestDuration = TimeSpan.FromDays(1);

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

    /// <summary>An option that takes a number of bytes above 0; 0 where it is not given.</summary>
    /// <param name="name">Its name.</param>
    public static Option<ulong> Size(string name) => new(name)
    {
        HelpName = "SIZE",
        CustomParser = result =>
        {
            string word = result.Tokens[0].Value;
            int shift = word is [.., var unit] ? 10 * ("KMG".IndexOf(unit, StringComparison.OrdinalIgnoreCase) + 1) : 0;
            ReadOnlySpan<char> digits = shift > 0 ? word.AsSpan(..^1) : word;
            if (!ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong size)
                || size == 0 || size > ulong.MaxValue >> shift)
            {
                result.AddError($"{name} is a number of bytes such as 5000, 64K, 64M or 1G, got: '{word}'");
            }

            return size << shift;
        },
    };

    /// <summary>An option that takes a time above 0; <see langword="null"/> where it is not given.</summary>
    /// <param name="name">Its name.</param>
    public static Option<TimeSpan?> Duration(string name) => new(name)
    {
        HelpName = "TIME",
        CustomParser = result =>
        {
            string word = result.Tokens[0].Value;
            (string digits, TimeSpan unit) = word switch
            {
                [.. var number, 'm', 's'] => (number, TimeSpan.FromMilliseconds(1)),
                [.. var number, 's'] => (number, TimeSpan.FromSeconds(1)),
                [.. var number, 'm'] => (number, TimeSpan.FromMinutes(1)),
                [.. var number, 'h'] => (number, TimeSpan.FromHours(1)),
                _ => (word, TimeSpan.FromSeconds(1)),
            };
            if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count)
                || count * unit is not { Ticks: > 0 } time || time > LongestDuration)
            {
                result.AddError($"{name} is a time of at most a day such as 500ms, 5s, 1.5m or 1h, got: '{word}'");
                return null;
            }

            return time;
        },
    };
}
