using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Cli;

/// <summary>What a command writes to, and what may be assumed of it.</summary>
internal sealed record Terminal
{
    private static readonly SafeFileHandle StandardOutput = new(1, ownsHandle: false);
    private static readonly Task NeverPressed = new TaskCompletionSource().Task;

    /// <summary>Standard output: results, and nothing else.</summary>
    public required Stream Output { get; init; }

    /// <summary>Standard error: all else.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Whether a person sees standard output as it is written.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>Whether standard output goes to another program, which may well write to the terminal in its turn.</summary>
    public bool OutputIsPipe { get; init; }

    /// <summary>Whether a person sees standard error as it is written.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Columns that fit on one line of output; as many as one likes where it is not a terminal.</summary>
    public int Width { get; init; } = int.MaxValue;

    /// <summary>Lines that are seen at once; as many as one likes where it is not a terminal.</summary>
    public int Height { get; init; } = int.MaxValue;

    /// <summary>Whether what is on the terminal can be written over.</summary>
    public bool CanRedraw { get; init; }

    /// <summary>Whether output may be in bold or in colour; see https://no-color.org.</summary>
    public bool Colour { get; init; }

    /// <summary>Completes when a key is pressed; where there is no keyboard, never.</summary>
    public Func<char, Task> KeyPressed { get; init; } = static _ => NeverPressed;

    private Func<(int Width, int Height)>? Measure { get; init; }

    // Shared by all copies, which are of one terminal.
    private StrongBox<List<string>?> Held { get; } = new();

    /// <summary>Tells the user something that is no result.</summary>
    public void Say(string line)
    {
        if (Held.Value is { } held)
        {
            held.Add(line);
        }
        else
        {
            Error.WriteLine(line);
        }
    }

    /// <summary>Runs what draws on standard error in place: what is said meanwhile would be drawn over, and is told when it ends.</summary>
    public async Task<T> DrawAsync<T>(Func<Task<T>> draw)
    {
        List<string> held = [];
        Held.Value = held;
        try
        {
            return await draw();
        }
        finally
        {
            Held.Value = null;
            held.ForEach(Error.WriteLine);
        }
    }

    /// <summary>That of this process.</summary>
    public static Terminal OfProcess()
    {
        bool terminal = !Console.IsOutputRedirected;
        bool canRedraw = terminal && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
        return new Terminal
        {
            Output = OpenStandardOutput(),
            Error = Console.Error,
            OutputIsTerminal = terminal,
            OutputIsPipe = !terminal && IsPipe("/dev/fd/1"),
            ErrorIsTerminal = !Console.IsErrorRedirected,
            Measure = terminal ? static () => (Console.WindowWidth, Console.WindowHeight) : null,
            CanRedraw = canRedraw,
            Colour = canRedraw && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
            KeyPressed = terminal && !Console.IsInputRedirected ? KeyPressedOnConsole : static _ => NeverPressed,
        }.Measured();
    }

    /// <summary>The same, of the size that it has now: people drag at windows.</summary>
    public Terminal Measured() => Measure?.Invoke() is { Width: > 0, Height: > 0 } size
        ? this with { Width = size.Width, Height = size.Height }
        : this;

    // Where the system has no such links, nothing is known.
    private static bool IsPipe(string descriptor)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget?.StartsWith("pipe:", StringComparison.Ordinal) == true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static Task KeyPressedOnConsole(char key) => Task.Factory.StartNew(
        () =>
        {
            while (Console.ReadKey(intercept: true).KeyChar != key)
            {
                // Other keys mean nothing.
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

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
