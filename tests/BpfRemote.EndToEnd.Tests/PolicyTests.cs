using BpfRemote.Client;
using BpfRemote.EndToEnd.Maps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;
using BpfRemote.V1;

namespace BpfRemote.EndToEnd;

/// <summary>A policy by pins, on real bpffs; and the commands that check and explain one.</summary>
public sealed class PolicyTests : IDisposable
{
    private const int Failed = 1;
    private const int Usage = 2;

    private readonly string _bpffs = $"/sys/fs/bpf/e2e-{Guid.NewGuid():n}";
    private readonly AgentSite _site = new();

    public PolicyTests()
    {
        Require.Kernel();
        Directory.CreateDirectory($"{_bpffs}/team");
        Directory.CreateDirectory($"{_bpffs}/other");
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Root itself may read what is pinned below the team's directory, and nothing else.</summary>
    private string TeamOnly =>
        $$"""{ "rules": [{ "name": "team", "principals": ["unix:uid=0"], "rights": ["read"], "maps": [{ "pinnedPath": "{{_bpffs}}/team/**" }] }] }""";

    [Fact]
    public async Task A_decoy_of_the_same_name_is_not_there_for_a_policy_by_pins()
    {
        using KnownMap real = KnownMap.Create(BpfMapType.Hash, 100);
        using KnownMap decoy = KnownMap.Create(BpfMapType.Hash, 1);
        using KnownMap pinnedDecoy = KnownMap.Create(BpfMapType.Hash, 2);
        real.Map.Pin($"{_bpffs}/team/table");
        pinnedDecoy.Map.Pin($"{_bpffs}/other/table");
        await using AgentProcess agent = await StartAsync(TeamOnly);
        using BpfRemoteClient client = _site.Connect();

        foreach (MapSelector selector in (MapSelector[])[real.Selector, MapSelectors.ByName("e2e_known"), MapSelectors.ByPinnedPath($"{_bpffs}/team/table")])
        {
            ScanRecord record = new(real);
            await foreach (MapBatch batch in client.Scan(selector).WithCancellation(Cancelled))
            {
                record.Add(batch);
            }

            record.AssertComplete();
        }

        foreach (MapSelector selector in (MapSelector[])[decoy.Selector, pinnedDecoy.Selector, MapSelectors.ByPinnedPath($"{_bpffs}/other/table")])
        {
            await AssertNotThereAsync(client, selector);
        }

        List<uint> listed = [];
        await foreach (Map map in client.ListMapsAsync(new(), Cancelled))
        {
            listed.Add(map.Id);
        }

        Assert.Equal([real.Map.Id], listed);
    }

    [Fact]
    public async Task A_symbolic_link_in_a_granted_directory_leads_nowhere()
    {
        using KnownMap granted = KnownMap.Create(BpfMapType.Hash, 1);
        using KnownMap secret = KnownMap.Create(BpfMapType.Hash, 1);
        granted.Map.Pin($"{_bpffs}/team/table");
        secret.Map.Pin($"{_bpffs}/other/secret");
        File.CreateSymbolicLink($"{_bpffs}/team/link", $"{_bpffs}/other/secret");
        File.CreateSymbolicLink($"{_bpffs}/team/relative", "../other/secret");
        Directory.CreateSymbolicLink($"{_bpffs}/team/directory", $"{_bpffs}/other");
        await using AgentProcess agent = await StartAsync(TeamOnly);
        using BpfRemoteClient client = _site.Connect();

        Assert.Equal(granted.Map.Id, (await client.GetMapAsync(MapSelectors.ByPinnedPath($"{_bpffs}/team/table"), cancellationToken: Cancelled)).Id);
        string[] ways = ["link", "relative", "directory/secret", "directory"];
        foreach (string way in ways)
        {
            await AssertNotThereAsync(client, MapSelectors.ByPinnedPath($"{_bpffs}/team/{way}"));
        }

        await AssertNotThereAsync(client, MapSelectors.ByPinnedPath($"/proc/self/root{_bpffs}/team/table"));
        await AssertNotThereAsync(client, secret.Selector);
    }

    [Fact]
    public async Task A_hangup_reaches_the_server_which_reads_its_policy_anew_and_opens_its_log_anew()
    {
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 1);
        map.Map.Pin($"{_bpffs}/other/table");
        await Command.RunAsync("chmod", ["777", _site.DirectoryPath], Cancelled);
        string log = Path.Combine(_site.DirectoryPath, "audit.log");
        await using AgentProcess agent = await StartAsync(TeamOnly, "--audit-log", log);
        using BpfRemoteClient client = _site.Connect();
        await AssertNotThereAsync(client, map.Selector);
        File.Move(log, $"{log}.1");

        _site.Write("policy.json", TeamOnly.Replace("/team/", "/other/", StringComparison.Ordinal));
        await agent.Program.SignalAsync("HUP", Cancelled);
        await agent.Program.WaitForLineAsync("policy.json changed: in force from now on", Cancelled);

        Assert.Equal(map.Map.Id, (await client.GetMapAsync(map.Selector, cancellationToken: Cancelled)).Id);
        await agent.TerminateAsync(Cancelled);
        Assert.Contains("\"denied\"", await File.ReadAllTextAsync($"{log}.1", Cancelled), StringComparison.Ordinal);
        Assert.Contains("\"admitted\"", await File.ReadAllTextAsync(log, Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_says_everything_that_is_wrong_and_exits_with_2()
    {
        string file = _site.Write("policy.json", "{ \"rules\": [\n{ \"name\": \"r\", \"rights\": [\"write\"],\n\"maps\": [{}] } ] }");

        CommandResult check = await PolicyAsync("check", file);

        Assert.Equal((Usage, ""), (check.ExitCode, check.Output));
        Assert.Equal(
            [
                $"{file}: line 2: rules[0] 'r'.rights[0]: 'write' is no right; expected list, read, full_pace",
                $"{file}: line 2: rules[0] 'r': applies to nobody; expected principals or groups",
                $"{file}: line 3: rules[0] 'r'.maps[0]: selects nothing; expected pinnedPath, name or types",
            ],
            check.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Check_exits_with_0_where_nothing_is_wrong_and_notes_what_a_name_is_worth()
    {
        string byPin = _site.Write("pins.json", TeamOnly);
        string byName = _site.Write("names.json", """{ "audit": "required", "rules": [{ "principals": ["unix:uid=0"], "rights": ["read"], "maps": [{ "name": "a" }] }] }""");

        CommandResult pins = await PolicyAsync("check", byPin);
        CommandResult names = await PolicyAsync("check", byName);
        CommandResult missing = await PolicyAsync("check", "/does/not/exist");

        Assert.Equal((0, $"{byPin}: valid, 1 rules, 0 limits\n", ""), (pins.ExitCode, pins.Output, pins.Error));
        Assert.Equal((0, $"{byName}: valid, 1 rules, 0 limits, audit required\n"), (names.ExitCode, names.Output));
        Assert.StartsWith("note: 'rule 1' lets maps be read by their name", names.Error, StringComparison.Ordinal);
        Assert.Equal((Failed, ""), (missing.ExitCode, missing.Output));
    }

    [Fact]
    public async Task Explain_says_which_rule_decides()
    {
        using KnownMap map = KnownMap.Create(BpfMapType.Hash, 1);
        map.Map.Pin($"{_bpffs}/team/table");
        string file = _site.Write("policy.json", TeamOnly.Replace("unix:uid=0", "x509:dashboard", StringComparison.Ordinal));
        string[] head = ["explain", "--policy-file", file, "--principal"];

        CommandResult dashboard = await PolicyAsync([.. head, "x509:dashboard", "--map", "id", $"{map.Map.Id}"]);
        CommandResult byPin = await PolicyAsync([.. head, "x509:dashboard", "--map", "pinned", $"{_bpffs}/team/table"]);
        CommandResult stranger = await PolicyAsync([.. head, "unix:uid=0", "--group", "unix-group:gid=0", "--map", "id", $"{map.Map.Id}"]);
        CommandResult none = await PolicyAsync([.. head, "x509:dashboard", "--map", "name", "no_such_map"]);
        CommandResult nonsense = await PolicyAsync([.. head, "x509:dashboard", "--map", "id", "many"]);

        Assert.Equal(
            $"""
            map        {map.Map.Id} hash 'e2e_known', pinned at {_bpffs}/team/table
            principal  x509:dashboard
            list       allowed by 'team'
            read       allowed by 'team'
            full_pace  denied: no rule gives it

            """,
            dashboard.Output);
        Assert.Equal((0, ""), (dashboard.ExitCode, dashboard.Error));
        Assert.Equal((0, dashboard.Output), (byPin.ExitCode, byPin.Output));
        Assert.Equal(0, stranger.ExitCode);
        Assert.Contains("principal  unix:uid=0, unix-group:gid=0\nlist       denied: no rule gives it\nread       denied", stranger.Output, StringComparison.Ordinal);
        Assert.Equal((Failed, ""), (none.ExitCode, none.Output));
        Assert.Contains("no map name no_such_map on this machine", none.Error, StringComparison.Ordinal);
        Assert.Equal((Failed, ""), (nonsense.ExitCode, nonsense.Output));
        Assert.Contains("expected id N, name NAME or pinned PATH", nonsense.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_that_strangers_could_reach_does_not_start_without_saying_who_they_are_and_what_they_may_do()
    {
        CommandResult agent = await Command.RunAsync(
            AgentSite.AgentProgram, ["--listen", "https://127.0.0.1:0", "--listen", "http://127.0.0.1:0", "--plaintext"], Cancelled);
        string broken = _site.Write("policy.json", "{ \"rules\": [{}] }");
        CommandResult withBroken = await Command.RunAsync(AgentSite.AgentProgram, [.. _site.CommandLine, "--policy-file", broken], Cancelled);

        Assert.Equal(Usage, agent.ExitCode);
        Assert.Equal(3, agent.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.All(["--tls-cert-file", "--tls-client-ca-file", "--policy-file"], option => Assert.Contains(option, agent.Error, StringComparison.Ordinal));
        Assert.Equal(Failed, withBroken.ExitCode);
        Assert.Contains("line 1: rules[0]: applies to nobody", withBroken.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_site.SocketPath));
    }

    public void Dispose()
    {
        _site.Dispose();
        if (Directory.Exists(_bpffs))
        {
            Directory.Delete(_bpffs, recursive: true);
        }
    }

    private static async Task AssertNotThereAsync(BpfRemoteClient client, MapSelector selector)
    {
        BpfRemoteException error = await Assert.ThrowsAnyAsync<BpfRemoteException>(() => client.GetMapAsync(selector, cancellationToken: Cancelled));
        Assert.Equal(ErrorReason.MapNotFound, error.Reason);
    }

    private static Task<CommandResult> PolicyAsync(params IEnumerable<string> arguments) =>
        Command.RunAsync(AgentSite.AgentProgram, ["policy", .. arguments], Cancelled);

    private Task<AgentProcess> StartAsync(string policy, params IEnumerable<string> options) =>
        _site.StartAgentAsync(Cancelled, options: ["--policy-file", _site.Write("policy.json", policy), .. options]);
}
