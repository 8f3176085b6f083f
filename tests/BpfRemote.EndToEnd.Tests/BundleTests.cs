using BpfRemote.EndToEnd.Programs;

namespace BpfRemote.EndToEnd;

/// <summary>A node's maps in a file, read when the agent is gone.</summary>
public sealed class BundleTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_bundle_prints_byte_for_byte_what_the_node_did()
    {
        Require.Kernel();
        string pins = $"/sys/fs/bpf/bpfremote-e2e-bundle-{Environment.ProcessId}";
        await using RunningProgram maps = RunningProgram.Start(Require.BuiltPath("DemoMapsProgram"), "--still", "--pin-dir", pins);
        try
        {
            await maps.WaitForLineAsync("ready", Cancelled);
            await CompareAsync(pins);
        }
        finally
        {
            // Killed, it would leave its pins behind.
            await maps.SignalAsync("TERM", CancellationToken.None);
            await maps.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static async Task CompareAsync(string pins)
    {
        using AgentSite site = new();
        string bundle = Path.Combine(site.DirectoryPath, "case.zip");
        string[] names = ["conn_table", "cpu_counters", "routes", "settings"];
        string[][] commands =
        [
            ["node", "show", "-j"],
            .. names.SelectMany(name => (string[][])
            [
                ["-j", "map", "dump", "pinned", $"{pins}/{name}"],
                ["-p", "map", "show", "pinned", $"{pins}/{name}", "-f"],
                ["-o", "ndjson", "map", "dump", "pinned", $"{pins}/{name}"],
                ["map", "dump", "pinned", $"{pins}/{name}"],
            ]),
            ["-j", "map", "lookup", "pinned", $"{pins}/settings", "key", "1", "0", "0", "0"],
        ];

        List<CommandResult> before = [];
        await using (await site.StartAgentAsync(Cancelled))
        {
            foreach (string[] command in commands)
            {
                before.Add(await RunAsync(site.Address, command));
            }

            CommandResult created = await RunAsync(
                site.Address, ["bundle", "create", bundle, .. names.SelectMany(name => (string[])["pinned", $"{pins}/{name}"])]);
            Assert.Equal((0, ""), (created.ExitCode, created.Error));
        }

        // Only who one is to the agent is not the same.
        CommandResult node = await RunAsync($"file:{bundle}", commands[0]);
        Assert.Equal(before[0].Output, node.Output.Replace("\"principal\":\"bundle\"", "\"principal\":\"unix:uid=0\"", StringComparison.Ordinal));
        for (int i = 1; i < commands.Length; i++)
        {
            CommandResult after = await RunAsync($"file:{bundle}", commands[i]);
            Assert.Equal(0, before[i].ExitCode);
            Assert.Equal(before[i], after);
        }

        Assert.Contains("\"formatted\":", before[1].Output, StringComparison.Ordinal);
    }

    private static Task<CommandResult> RunAsync(string address, IEnumerable<string> arguments) =>
        Command.RunAsync(Require.BuiltPath("CommandLineProgram"), ["--address", address, .. arguments], Cancelled);
}
