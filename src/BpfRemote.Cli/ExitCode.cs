namespace BpfRemote.Cli;

/// <summary>What the program's exit status means. Scripts depend on these numbers.</summary>
internal enum ExitCode
{
    /// <summary>Done; a reached <c>--limit</c> too.</summary>
    Done = 0,

    /// <summary>Failed; the message says how.</summary>
    Failed = 1,

    /// <summary>The command line is wrong.</summary>
    Usage = 2,

    /// <summary>No such map, or no such key.</summary>
    NotFound = 3,

    /// <summary>The agent does not let the caller do that.</summary>
    PermissionDenied = 4,

    /// <summary>The two sides differ: with <c>map diff --exit-code</c> only.</summary>
    Different = 5,

    /// <summary>Interrupted (128 + SIGINT).</summary>
    Interrupted = 130,

    /// <summary>The reader of standard output went away (128 + SIGPIPE), as with <c>| head</c>; said by the status alone.</summary>
    OutputClosed = 141,
}
