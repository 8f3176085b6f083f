namespace BpfRemote.Client;

/// <summary>What somebody says of a map's types cannot be used. The message names the file and says what was expected.</summary>
public sealed class SchemaException : Exception
{
    internal SchemaException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
