namespace BpfRemote.Client;

/// <summary>A file is no bundle, or a damaged one; the message says which part and what was expected of it.</summary>
public sealed class BundleFormatException : FormatException
{
    internal BundleFormatException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
