using System.Text;

namespace BpfRemote.Cli.Tests;

/// <summary>A run of the program within the test's process.</summary>
/// <param name="ExitCode">Its exit status.</param>
/// <param name="Output">What it wrote to standard output.</param>
/// <param name="Error">What it wrote to standard error.</param>
internal sealed record Run(ExitCode ExitCode, string Output, string Error)
{
    public static Task<Run> Async(ScriptedAgent agent, string commandLine) => Async($"--address {agent.Address} {commandLine}");

    public static Task<Run> Async(string commandLine) => Async(commandLine, new MemoryStream(), CancellationToken.None);

    public static Task<Run> Async(ScriptedAgent agent, string[] words) =>
        Async(["--address", agent.Address, .. words], new MemoryStream(), CancellationToken.None);

    public static Task<Run> Async(string commandLine, MemoryStream output, CancellationToken interrupted) =>
        Async(commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries), output, interrupted);

    private static async Task<Run> Async(string[] words, MemoryStream output, CancellationToken interrupted)
    {
        using StringWriter error = new();
        CommandLine program = new(new() { Output = output, Error = error });
        int status = await program.RunAsync(words, interrupted);
        return new((ExitCode)status, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
