namespace BpfRemote.Cli.Output;

/// <summary>How text for people is set off, where the terminal may have colour.</summary>
internal static class TextStyle
{
    public static string Bold(string text, bool colour) => colour ? $"\e[1m{text}\e[0m" : text;

    public static string Dim(string text, bool colour) => colour ? $"\e[2m{text}\e[0m" : text;

    public static string Red(string text, bool colour) => colour ? $"\e[31m{text}\e[0m" : text;

    public static string Green(string text, bool colour) => colour ? $"\e[32m{text}\e[0m" : text;

    public static string Yellow(string text, bool colour) => colour ? $"\e[33m{text}\e[0m" : text;
}
