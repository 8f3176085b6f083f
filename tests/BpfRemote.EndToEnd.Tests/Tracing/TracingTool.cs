using System.Globalization;
using BpfRemote.EndToEnd.Programs;

namespace BpfRemote.EndToEnd.Tracing;

/// <summary>A tracing program that runs and has its maps, as somebody on the node started it.</summary>
internal sealed class TracingTool : IAsyncDisposable
{
    private const string InOwnMounts = "mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; exec \"$@\"";

    private readonly RunningProgram _program;

    private TracingTool(RunningProgram program) => _program = program;

    /// <summary>The process id.</summary>
    public int Id => _program.Id;

    /// <summary>The maps that it holds, by id, as the kernel says.</summary>
    public IReadOnlyList<uint> MapIds =>
    [
        .. Directory.EnumerateFiles($"/proc/{Id}/fdinfo").SelectMany(File.ReadLines)
            .Where(line => line.StartsWith("map_id:", StringComparison.Ordinal))
            .Select(line => uint.Parse(line["map_id:".Length..], CultureInfo.InvariantCulture))
            .Distinct().Order(),
    ];

    /// <summary>Starts a program, with tracefs mounted for it alone, and waits until it traces.</summary>
    /// <param name="firstWords">What it prints then.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="commandLine">The program and its arguments.</param>
    public static async Task<TracingTool> StartAsync(string firstWords, CancellationToken cancellationToken, params IEnumerable<string> commandLine)
    {
        RunningProgram program = RunningProgram.Start(
            Require.Program("unshare"), ["--mount", "sh", "-c", InOwnMounts, "sh", Require.Program("stdbuf"), "-oL", .. commandLine]);
        try
        {
            await program.WaitForLineAsync(firstWords, cancellationToken);
            return new TracingTool(program);
        }
        catch (ProgramEndedException e)
        {
            Assert.Skip($"does not run on this kernel: {e.Message}");
            throw;
        }
    }

    /// <summary>Stops it as its user does, so that it leaves no probe behind.</summary>
    public async ValueTask DisposeAsync()
    {
        await using (_program)
        {
            await _program.SignalAsync("INT", CancellationToken.None);
            await _program.WaitForExitAsync(CancellationToken.None);
        }
    }
}
