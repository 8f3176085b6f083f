namespace BpfRemote.Cli;

/// <summary>The forms in which results are written.</summary>
internal enum OutputFormat
{
    /// <summary>For people.</summary>
    Table,

    /// <summary>One JSON document, as bpftool's.</summary>
    Json,

    /// <summary>One JSON object a line.</summary>
    Ndjson,

    /// <summary>Comma-separated values with a header row.</summary>
    Csv,

    /// <summary>Packed bytes.</summary>
    Raw,
}
