using System.Globalization;

namespace BpfRemote.EndToEnd.Programs;

/// <summary>An agent that listens, as its users run it, and what the kernel says of its processes.</summary>
internal sealed class AgentProcess(RunningProgram program) : IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The process that was started: the broker, where it has started a server.</summary>
    public RunningProgram Program => program;

    /// <summary>The process that talks to clients.</summary>
    public int ServerId { get; } = File.ReadAllText($"/proc/{program.Id}/task/{program.Id}/children").Trim() is { Length: > 0 } server
        ? int.Parse(server, CultureInfo.InvariantCulture)
        : program.Id;

    /// <summary>Memory in use, in bytes.</summary>
    public long ResidentBytes => 1024 * long.Parse(
        File.ReadLines($"/proc/{ServerId}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    /// <summary>What each open file descriptor leads to, such as <c>anon_inode:bpf-map</c>.</summary>
    public IReadOnlyList<string> OpenFiles
    {
        get
        {
            List<string> files = [];
            foreach (string fd in Directory.EnumerateFileSystemEntries($"/proc/{ServerId}/fd"))
            {
                if (new FileInfo(fd).LinkTarget is { } target)
                {
                    files.Add(target);
                }
            }

            return files;
        }
    }

    /// <summary>Fails where its log has errors, which no caller should be able to cause, and shows them whole.</summary>
    public void AssertNoFailureLogged()
    {
        string[] lines = program.Output.Split('\n');
        int first = Array.FindIndex(lines, line => line.Contains(" fail: ", StringComparison.Ordinal)
            || line.Contains(" crit: ", StringComparison.Ordinal)
            || line.Contains("Unhandled", StringComparison.Ordinal));
        Assert.True(first < 0, $"the agent's log:\n{string.Join('\n', lines[Math.Max(first, 0)..])}");
    }

    /// <summary>Its address on loopback, where it listens there.</summary>
    public async Task<string> FindPlaintextAddressAsync(CancellationToken cancellationToken)
    {
        string line = await program.WaitForLineAsync("Listening on http://127.0.0.1:", cancellationToken);
        int start = line.IndexOf("http://", StringComparison.Ordinal);
        return line[start..line.IndexOf(": agent", StringComparison.Ordinal)];
    }

    /// <summary>Waits until its open files are as they should be: another process tells nobody when that is.</summary>
    public async Task WaitForOpenFilesAsync(Predicate<IReadOnlyList<string>> condition, CancellationToken cancellationToken)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (OpenFiles is var files && !condition(files))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, $"still open: {string.Join(", ", files)}");
            await Task.Delay(PollInterval, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>SIGTERM, and the time until the process ended.</summary>
    public async Task<TimeSpan> TerminateAsync(CancellationToken cancellationToken)
    {
        long start = TimeProvider.System.GetTimestamp();
        await program.SignalAsync("TERM", cancellationToken);
        Assert.Equal(0, await program.WaitForExitAsync(cancellationToken));
        return TimeProvider.System.GetElapsedTime(start);
    }

    public ValueTask DisposeAsync() => program.DisposeAsync();
}
