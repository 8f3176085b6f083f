using BpfRemote.Client;
using BpfRemote.EndToEnd.Maps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;
using BpfRemote.V1;

namespace BpfRemote.EndToEnd;

/// <summary>An agent is two processes: a broker that opens maps and talks to nobody, and a server that talks and holds no privilege.</summary>
public sealed class SeparationTests
{
    private const int Failed = 1;
    private const int Usage = 2;
    private const int Killed = 128 + 9;
    private const ulong CapSysAdmin = 1UL << 21;
    private const ulong CapSysPtrace = 1UL << 19;
    private const ulong CapDacReadSearch = 1UL << 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_server_has_no_capability_on_any_thread_and_its_own_user()
    {
        Require.Kernel();
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);

        Assert.NotEqual(agent.Program.Id, agent.ServerId);
        string[] threads = Directory.GetDirectories($"/proc/{agent.ServerId}/task");
        Assert.True(threads.Length > 1);
        Assert.All(threads, thread =>
        {
            Assert.All(["CapInh", "CapPrm", "CapEff", "CapAmb"], set => Assert.Equal("0000000000000000", Status(thread, set)));
            Assert.DoesNotContain("0", Status(thread, "Uid").Split('\t'));
            Assert.DoesNotContain("0", Status(thread, "Gid").Split('\t'));
            Assert.Equal(("1", "2"), (Status(thread, "NoNewPrivs"), Status(thread, "Seccomp")));
        });
    }

    [Fact]
    public async Task The_broker_is_left_what_opening_maps_takes()
    {
        Require.Kernel();
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);

        Assert.Equal(
            CapSysAdmin | CapSysPtrace | CapDacReadSearch,
            Convert.ToUInt64(Status($"/proc/{agent.Program.Id}", "CapEff"), 16) | CapSysPtrace | CapDacReadSearch);
        Assert.All(
            Directory.GetDirectories($"/proc/{agent.Program.Id}/task"),
            thread => Assert.Equal(("1", "2"), (Status(thread, "NoNewPrivs"), Status(thread, "Seccomp"))));
    }

    [Fact]
    public async Task The_node_says_that_privileges_are_separated()
    {
        Require.Kernel();
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        using BpfRemoteClient client = site.Connect();

        Node node = await client.GetNodeAsync(Cancelled);

        Assert.Equal(new Lockdown { NoNewPrivs = true, Seccomp = true, PrivilegesSeparated = true }, node.Lockdown);
        Assert.Equal(AccessMode.Enumerate, node.AccessMode);
        Assert.Contains("Locked down: user ", agent.Program.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_lockdown_there_is_one_process_which_says_so()
    {
        Require.Kernel();
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled, options: "--no-lockdown");
        using BpfRemoteClient client = site.Connect();

        Assert.Equal(agent.Program.Id, agent.ServerId);
        Assert.False((await client.GetNodeAsync(Cancelled)).Lockdown.PrivilegesSeparated);
        Assert.NotEqual("2", Status($"/proc/{agent.ServerId}", "Seccomp"));
        Assert.Contains("The lockdown is off", agent.Program.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_that_may_not_choose_a_user_is_one_process_and_locked_down()
    {
        Require.Kernel();
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 100);
        using AgentSite site = new();
        await using RunningProgram program = RunningProgram.Start(
            Require.Program("setpriv"),
            ["--bounding-set=-setuid", "--inh-caps=-setuid", AgentSite.AgentProgram, .. site.CommandLine]);
        await program.WaitForLineAsync($"Listening on {site.Address}:", Cancelled);
        using BpfRemoteClient client = site.Connect();

        Assert.Equal(
            new Lockdown { NoNewPrivs = true, Seccomp = true },
            (await client.GetNodeAsync(Cancelled)).Lockdown);
        Assert.Contains("One process", program.Output, StringComparison.Ordinal);
        Assert.Equal(map.Map.Id, (await client.GetMapAsync(map.Selector, cancellationToken: Cancelled)).Id);
    }

    [Fact]
    public async Task The_capabilities_of_the_systemd_unit_suffice_also_for_a_restart()
    {
        Require.Kernel();
        using AgentSite site = new();
        string keys = Path.Combine(site.DirectoryPath, "run", "keys");
        await Command.RunAsync("mkdir", ["--parents", keys], Cancelled);
        await Command.RunAsync("chown", ["nobody", keys], Cancelled);
        const string Capabilities = "-all,+sys_admin,+setuid,+setgid";
        for (int start = 0; start < 2; start++)
        {
            await using RunningProgram program = RunningProgram.Start(
                Require.Program("setpriv"),
                [
                    $"--bounding-set={Capabilities}", $"--inh-caps={Capabilities}", AgentSite.AgentProgram, .. site.CommandLine, "--user", "nobody",
                ]);
            await program.WaitForLineAsync($"Listening on {site.Address}:", Cancelled);
            using BpfRemoteClient client = site.Connect();
            Assert.True((await client.GetNodeAsync(Cancelled)).Lockdown.PrivilegesSeparated);
            await program.SignalAsync("TERM", Cancelled);
            Assert.Equal(0, await program.WaitForExitAsync(Cancelled));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_one_process_is_killed_the_other_ends(bool killBroker)
    {
        Require.Kernel();
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);

        CommandResult kill = await Command.RunAsync("kill", ["-KILL", $"{(killBroker ? agent.Program.Id : agent.ServerId)}"], Cancelled);

        // The end of all output is the end of both: each of them holds it.
        Assert.Equal(0, kill.ExitCode);
        Assert.Equal(Killed, await agent.Program.WaitForExitAsync(Cancelled).WaitAsync(Patience, Cancelled));
    }

    [Fact]
    public async Task The_keys_are_the_servers_and_the_socket_is_not()
    {
        Require.Kernel();
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled, options: ["--user", "nobody"]);

        string keys = Path.Combine(site.DirectoryPath, "run", "keys");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(keys));
        CommandResult owners = await Command.RunAsync(
            "stat", ["--format", "%U %a", keys, Path.Combine(keys, "token.keys"), site.SocketPath], Cancelled);
        Assert.Equal("nobody 700\nnobody 600\nroot 660\n", owners.Output);
    }

    [Fact]
    public async Task Tokens_outlive_a_change_from_one_process_to_two()
    {
        Require.Kernel();
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 1_000);
        using AgentSite site = new();
        using BpfRemoteClient client = site.Connect();
        ScanRecord record = new(map);
        string? token = null;
        await using (await site.StartAgentAsync(Cancelled, options: "--no-lockdown"))
        {
            await foreach (MapBatch batch in client.Scan(map.Selector, new() { Limit = 100 }).WithCancellation(Cancelled))
            {
                record.Add(batch);
                token = batch.ContinuationToken;
            }
        }

        Assert.InRange(record.Count, 1, map.Count - 1);

        await using AgentProcess agent = await site.StartAgentAsync(Cancelled);
        await foreach (MapBatch batch in client.Scan(map.Selector, new() { ContinuationToken = token }).WithCancellation(Cancelled))
        {
            record.Add(batch);
        }

        record.AssertComplete();
    }

    [Theory]
    [InlineData("no-such-user", "there is no such user")]
    [InlineData("root", "expected a user without privilege")]
    public async Task A_user_that_the_server_cannot_be_is_named(string user, string explanation)
    {
        Require.Kernel();
        using AgentSite site = new();

        CommandResult agent = await Command.RunAsync(AgentSite.AgentProgram, [.. site.CommandLine, "--user", user], Cancelled);

        Assert.Equal(Failed, agent.ExitCode);
        Assert.Contains($"--user {user}: ", agent.Error, StringComparison.Ordinal);
        Assert.Contains(explanation, agent.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(site.SocketPath));
    }

    [Fact]
    public async Task A_configuration_that_the_server_cannot_read_is_named_with_its_user()
    {
        Require.Kernel();
        using AgentSite site = new();
        File.SetUnixFileMode(site.ConfigurationPath, UnixFileMode.UserRead);

        CommandResult agent = await Command.RunAsync(AgentSite.AgentProgram, [.. site.CommandLine, "--user", "nobody"], Cancelled);

        Assert.Equal(Usage, agent.ExitCode);
        Assert.Contains(site.ConfigurationPath, agent.Error, StringComparison.Ordinal);
        Assert.Contains("user 'nobody'", agent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_runtime_directory_that_the_server_cannot_enter_is_named_with_its_user()
    {
        Require.Kernel();
        using AgentSite site = new();
        string run = Path.Combine(site.DirectoryPath, "run");
        Directory.CreateDirectory(run, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        CommandResult agent = await Command.RunAsync(AgentSite.AgentProgram, [.. site.CommandLine, "--user", "nobody"], Cancelled);

        Assert.Equal(Failed, agent.ExitCode);
        Assert.Contains(run, agent.Error, StringComparison.Ordinal);
        Assert.Contains("user 'nobody'", agent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_access_to_pins_only_pinned_maps_are_there_and_nobody_holds_a_capability()
    {
        Require.Kernel();
        using KnownMap pinned = KnownMap.Create(BpfMapType.Hash, 1_000);
        using KnownMap unpinned = KnownMap.Create(BpfMapType.Hash, 1);
        string path = $"/sys/fs/bpf/e2e-{Guid.NewGuid():n}";
        pinned.Map.Pin(path);
        using Unpin unpin = new(path);
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled, options: ["--access", "pins"]);
        using BpfRemoteClient client = site.Connect();

        Assert.Equal(AccessMode.Pins, (await client.GetNodeAsync(Cancelled)).AccessMode);
        Assert.All(
            [agent.Program.Id, agent.ServerId],
            process => Assert.Equal("0000000000000000", Status($"/proc/{process}", "CapEff")));
        Assert.Equal("2", Status($"/proc/{agent.Program.Id}", "Seccomp"));

        List<uint> listed = [];
        await foreach (Map map in client.ListMapsAsync(new() { View = MapView.Full }, Cancelled))
        {
            Assert.NotEmpty(map.PinnedPaths);
            listed.Add(map.Id);
        }

        Assert.Contains(pinned.Map.Id, listed);
        Assert.DoesNotContain(unpinned.Map.Id, listed);
        foreach (MapSelector selector in (MapSelector[])[pinned.Selector, MapSelectors.ByPinnedPath(path)])
        {
            ScanRecord record = new(pinned);
            await foreach (MapBatch batch in client.Scan(selector).WithCancellation(Cancelled))
            {
                record.Add(batch);
            }

            record.AssertComplete();
        }

        BpfRemoteException missing = await Assert.ThrowsAnyAsync<BpfRemoteException>(
            () => client.GetMapAsync(unpinned.Selector, cancellationToken: Cancelled));
        Assert.Equal(ErrorReason.MapNotFound, missing.Reason);
    }

    private static string Status(string process, string field) => File.ReadLines($"{process}/status")
        .First(line => line.StartsWith($"{field}:\t", StringComparison.Ordinal))[(field.Length + 2)..];

    private sealed class Unpin(string path) : IDisposable
    {
        public void Dispose() => File.Delete(path);
    }
}
