namespace BpfRemote.Cli.Top;

/// <summary>An entry among the first.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Value">Its value, one for all CPUs.</param>
/// <param name="Number">The number it is compared by.</param>
/// <param name="Rate">What that grew by per second since the refresh before; null where there was none.</param>
/// <param name="IsNew">Whether the refresh before did not have it: then it is taken to have grown from 0.</param>
internal sealed record TopEntry(byte[] Key, byte[] Value, Int128 Number, double? Rate, bool IsNew);

/// <summary>How far in front an entry is: of two that grow alike, the larger one leads.</summary>
internal readonly record struct Rank(double Rate, Int128 Number) : IComparable<Rank>
{
    public int CompareTo(Rank other) => Rate.CompareTo(other.Rate) is not 0 and var order ? order : Number.CompareTo(other.Number);
}
