namespace BpfRemote.Btf;

/// <summary>A C# struct does not fit the type that its values are to be read from. The message lists every field that does not.</summary>
public sealed class BtfMismatchException : Exception
{
    internal BtfMismatchException(string structName, string typeName, IReadOnlyList<string> mismatches)
        : base($"{structName} does not fit {typeName}: {string.Join(" ", mismatches)}")
    {
        Mismatches = mismatches;
    }

    /// <summary>A sentence for each field that does not fit: its name, what BTF says and what C# says.</summary>
    public IReadOnlyList<string> Mismatches { get; }
}
