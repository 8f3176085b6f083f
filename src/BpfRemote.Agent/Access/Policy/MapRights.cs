namespace BpfRemote.Agent.Access.Policy;

/// <summary>What a rule lets its principals do with its maps.</summary>
[Flags]
internal enum MapRights
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>See that a map is there: its description, and the types of its keys and values.</summary>
    List = 1,

    /// <summary>Read keys and values. Whoever may read a map may list it.</summary>
    Read = 2,

    /// <summary>Read as fast as it goes, where the map may be read.</summary>
    FullPace = 4,

    /// <summary>Everything.</summary>
    All = List | Read | FullPace,
}
