using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Entries;

/// <summary>A way to lay rows of cells out as text.</summary>
internal interface IRowFormat
{
    /// <summary>Writes rows.</summary>
    void Write(OutputBuffer output, CellRows rows);

    /// <summary>Ends a map, of which perhaps nothing was written.</summary>
    void End(OutputBuffer output);
}
