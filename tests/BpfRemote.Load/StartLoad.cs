using System.Diagnostics;
using BpfRemote.Client;

namespace BpfRemote.Load;

/// <summary>The start of an agent, from exec to the first answer.</summary>
internal static class StartLoad
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(1);

    /// <summary>Starts an agent, asks until it answers, and ends it.</summary>
    /// <param name="address">Where it will listen.</param>
    /// <param name="program">The agent.</param>
    /// <param name="arguments">Its arguments.</param>
    public static async Task RunAsync(string address, string program, IEnumerable<string> arguments)
    {
        using BpfRemoteClient client = Target.Connect(address);
        long start = TimeProvider.System.GetTimestamp();
        using Process agent = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        while (!await AnswersAsync(client))
        {
            await Task.Delay(PollInterval, TimeProvider.System);
        }

        Console.WriteLine($"{TimeProvider.System.GetElapsedTime(start).TotalMilliseconds:f1}");
        using Process kill = Process.Start("kill", $"{agent.Id}");
        await agent.WaitForExitAsync();
    }

    private static async Task<bool> AnswersAsync(BpfRemoteClient client)
    {
        try
        {
            await client.GetNodeAsync();
            return true;
        }
        catch (AgentUnreachableException)
        {
            return false;
        }
    }
}
