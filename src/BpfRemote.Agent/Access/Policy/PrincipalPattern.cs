namespace BpfRemote.Agent.Access.Policy;

/// <summary>A principal or group by its whole name, or all whose names begin alike.</summary>
internal sealed class PrincipalPattern
{
    private readonly string _text;
    private readonly bool _isPrefix;

    /// <summary>Fits every name.</summary>
    public static readonly PrincipalPattern Everybody = new("", isPrefix: true);

    private PrincipalPattern(string text, bool isPrefix)
    {
        _text = text;
        _isPrefix = isPrefix;
    }

    /// <summary>Parses a pattern.</summary>
    /// <param name="text">A name, or the start of names and <c>*</c>.</param>
    /// <param name="schemes">How the names can begin, such as <c>unix:</c>; one that does not end in <c>:</c> is a whole name.</param>
    /// <param name="error">What was expected, where it is none.</param>
    /// <returns>Null where it is none.</returns>
    public static PrincipalPattern? TryParse(string text, IReadOnlyList<string> schemes, out string error)
    {
        bool isPrefix = text.EndsWith('*');
        string name = isPrefix ? text[..^1] : text;
        error = (isPrefix, schemes.FirstOrDefault(scheme => name.StartsWith(scheme, StringComparison.Ordinal))) switch
        {
            (_, null) => $"'{text}' begins like no name; expected {string.Join(", ", schemes.SkipLast(1))} or {schemes[^1]}",
            _ when name.Contains('*', StringComparison.Ordinal) => $"'{text}' has a '*' before its end; expected none, or one at the end",
            (_, var scheme) when !scheme.EndsWith(':') => text == scheme ? "" : $"'{text}': expected {scheme}",
            (false, var scheme) when name.Length == scheme.Length => $"'{text}' names nobody; expected a name after '{scheme}'",
            _ => "",
        };
        return error.Length == 0 ? new(name, isPrefix) : null;
    }

    /// <summary>Fits one name.</summary>
    public static PrincipalPattern Exactly(string name) => new(name, isPrefix: false);

    /// <summary>Whether a name fits.</summary>
    public bool Fits(string name) => _isPrefix ? name.StartsWith(_text, StringComparison.Ordinal) : name == _text;

    public override string ToString() => _isPrefix ? $"{_text}*" : _text;
}
