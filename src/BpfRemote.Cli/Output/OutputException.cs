namespace BpfRemote.Cli.Output;

/// <summary>Standard output does not take what is written to it.</summary>
internal sealed class OutputException(IOException cause) : Exception($"can't write to standard output: {cause.Message}", cause)
{
    private const int BrokenPipe = 32;

    /// <summary>Whether the reader closed its end, as <c>head</c> does when it has seen enough.</summary>
    public bool ReaderIsGone { get; } = cause.HResult == BrokenPipe;
}
