namespace BpfRemote.Btf;

/// <summary>BTF that breaks its own rules, that is cut off, or that asks for more than a value may take. The message names the place.</summary>
public sealed class BtfFormatException(string message) : FormatException(message);
