using System.Globalization;

namespace BpfRemote.Cli.Diffs;

/// <summary>One part of a value that changed.</summary>
/// <param name="Path">Where it is, as C writes it; empty for the whole.</param>
/// <param name="Old">What it was, for people.</param>
/// <param name="Now">What it is.</param>
internal readonly record struct FieldChange(string Path, string Old, string Now)
{
    /// <summary>As <c>packets: 10 -> 12 (+2)</c>; the difference where both are plain numbers.</summary>
    public override string ToString()
    {
        string path = Path.Length > 0 ? $"{Path}: " : "";
        string difference = Number(Old) is { } old && Number(Now) is { } now
            ? string.Create(CultureInfo.InvariantCulture, $" ({now - old:+0;-0})")
            : "";
        return $"{path}{Old} -> {Now}{difference}";
    }

    private static decimal? Number(string text) =>
        decimal.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out decimal number) ? number : null;
}
