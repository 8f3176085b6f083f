using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Cli;

/// <summary>What a command writes to, and what may be assumed of it.</summary>
internal sealed record Terminal
{
    private static readonly SafeFileHandle StandardOutput = new(1, ownsHandle: false);

    /// <summary>Standard output: results, and nothing else.</summary>
    public required Stream Output { get; init; }

    /// <summary>Standard error: all else.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Whether a person sees standard output as it is written.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>Whether a person sees standard error as it is written.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Columns that fit on one line of output; as many as one likes where it is not a terminal.</summary>
    public int Width { get; init; } = int.MaxValue;

    /// <summary>Whether output may be in bold or in colour; see https://no-color.org.</summary>
    public bool Colour { get; init; }

    /// <summary>Tells the user something that is no result.</summary>
    public void Say(string line) => Error.WriteLine(line);

    /// <summary>That of this process.</summary>
    public static Terminal OfProcess()
    {
        bool terminal = !Console.IsOutputRedirected;
        return new()
        {
            Output = OpenStandardOutput(),
            Error = Console.Error,
            OutputIsTerminal = terminal,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            Width = terminal && Console.WindowWidth > 0 ? Console.WindowWidth : int.MaxValue,
            Colour = terminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
                && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb"),
        };
    }

    // The console's own stream swallows EPIPE, so a dump into `head` would go on to its end; a FileStream reports it. But a
    // FileStream writes to regular files at an offset of its own, over what others append there.
    private static Stream OpenStandardOutput()
    {
        FileStream? stream = null;
        try
        {
            stream = new(StandardOutput, FileAccess.Write, bufferSize: 0);
            if (!stream.CanSeek)
            {
                return stream;
            }
        }
        catch (IOException)
        {
            // Closed, or of a kind that FileStream does not take.
        }

        stream?.Dispose();
        return Console.OpenStandardOutput();
    }
}
