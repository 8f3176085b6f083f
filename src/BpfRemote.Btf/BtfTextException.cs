namespace BpfRemote.Btf;

/// <summary>
/// What somebody wrote names no type or field, or is no value of it. The message says what was expected and what there is.
/// </summary>
public sealed class BtfTextException(string message) : FormatException(message);
