namespace BpfRemote.Btf;

/// <summary>Says which part of a value a field of a C# struct is read from (<see cref="BtfRecord{T}"/>), where the name does not.</summary>
/// <param name="path">Such as <c>key.saddr</c> or <c>slots[3]</c>.</param>
[AttributeUsage(AttributeTargets.Field)]
public sealed class BtfFieldAttribute(string path) : Attribute
{
    /// <summary>The part of the value.</summary>
    public string Path { get; } = path;
}
