namespace BpfRemote.Btf;

/// <summary>
/// Collects the leaves of one layout. Types that hold each other twice at every level double with each: what is looked at is counted,
/// not only what is found.
/// </summary>
internal sealed class LeafWalk(int limit)
{
    private const int MaxSteps = 1 << 16;
    private const int MaxNameLength = 1 << 20;

    // By their own names: the kernel's struct_group() has the same fields once in an anonymous struct and once in a named one.
    private readonly HashSet<(string Name, int Offset, int BitOffset)> _known = [];
    private int _steps;
    private int _nameLength;

    public List<BtfField> Leaves { get; } = [];

    /// <summary>Adds the leaves of a layout.</summary>
    /// <returns>Whether they are all there.</returns>
    public bool TryAdd(BtfValueLayout layout) => TryAdd(BtfField.Whole(layout), hasName: false);

    private bool TryAdd(BtfField field, bool hasName)
    {
        bool isLeaf = field.Layout.Kind switch
        {
            BtfValueKind.Section => false,
            BtfValueKind.Struct => NameMeaning.Of(field.Layout, field.Name) != ValueMeaning.None,
            BtfValueKind.Union => hasName,
            _ => true,
        };
        return isLeaf ? TryAddLeaf(field) : TryAddFields(field);
    }

    private bool TryAddLeaf(BtfField leaf)
    {
        if (!_known.Add((leaf.Name[(leaf.Name.LastIndexOf('.') + 1)..], leaf.Offset, leaf.BitOffset)))
        {
            return true;
        }

        _nameLength += leaf.Name.Length;
        if (Leaves.Count == limit || _nameLength > MaxNameLength)
        {
            return false;
        }

        Leaves.Add(leaf);
        return true;
    }

    private bool TryAddFields(BtfField whole)
    {
        foreach (BtfField field in whole.Layout.Fields)
        {
            if (++_steps > MaxSteps || (!field.IsPadding && !TryAdd(field.Within(whole), hasName: field.Name.Length > 0)))
            {
                return false;
            }
        }

        return true;
    }
}
