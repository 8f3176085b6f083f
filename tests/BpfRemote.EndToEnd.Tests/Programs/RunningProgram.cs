using System.Diagnostics;

namespace BpfRemote.EndToEnd.Programs;

/// <summary>A program that runs beside the test: what it prints, line by line, and the signals it is sent.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<(string Text, TaskCompletionSource<string> Found)> _awaited = [];
    private readonly Task _printed;
    private bool _isSilent;

    private RunningProgram(Process process)
    {
        _process = process;
        Id = process.Id;
        _printed = ReadAllAsync();
    }

    /// <summary>The process id.</summary>
    public int Id { get; }

    /// <summary>Whether it has not ended yet.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>What it printed so far, on both streams.</summary>
    public string Output
    {
        get
        {
            lock (_lock)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>Starts a program.</summary>
    public static RunningProgram Start(string program, params IEnumerable<string> arguments) => new(Process.Start(
        new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!);

    /// <summary>Waits for a line that contains a text, printed already or yet to come.</summary>
    /// <exception cref="ProgramEndedException">The program ended without.</exception>
    /// <exception cref="TimeoutException">It did not come within 30 s.</exception>
    public async Task<string> WaitForLineAsync(string text, CancellationToken cancellationToken)
    {
        TaskCompletionSource<string> found = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_lines.Find(line => line.Contains(text, StringComparison.Ordinal)) is { } line)
            {
                return line;
            }

            if (_isSilent)
            {
                throw Ended(text);
            }

            _awaited.Add((text, found));
        }

        try
        {
            return await found.Task.WaitAsync(Patience, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{_process.StartInfo.FileName} did not print '{text}':\n{Output}", e);
        }
    }

    /// <summary>Sends a signal by name, such as <c>TERM</c>.</summary>
    public async Task SignalAsync(string signal, CancellationToken cancellationToken)
    {
        CommandResult kill = await Command.RunAsync("kill", ["-s", signal, $"{Id}"], cancellationToken);
        Assert.True(kill.ExitCode == 0, kill.Error);
    }

    /// <summary>Sends SIGKILL and waits for the end.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _printed;
    }

    /// <summary>Waits until it ends by itself and has printed everything.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        await _printed.WaitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private async Task ReadAllAsync()
    {
        await Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
        lock (_lock)
        {
            _isSilent = true;
            foreach ((string text, TaskCompletionSource<string> found) in _awaited)
            {
                found.SetException(Ended(text));
            }
        }
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_lock)
            {
                _lines.Add(line);
                foreach ((string text, TaskCompletionSource<string> found) in _awaited.Where(awaited => line.Contains(awaited.Text, StringComparison.Ordinal)))
                {
                    found.SetResult(line);
                }

                _awaited.RemoveAll(awaited => awaited.Found.Task.IsCompleted);
            }
        }
    }

    private ProgramEndedException Ended(string text) =>
        new($"{_process.StartInfo.FileName} ended without printing '{text}':\n{string.Join('\n', _lines)}");
}

/// <summary>A program ended before it printed what the test waits for.</summary>
internal sealed class ProgramEndedException(string message) : Exception(message);
