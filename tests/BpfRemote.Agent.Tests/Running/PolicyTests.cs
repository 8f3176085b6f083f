using BpfRemote.Agent.Tests.Harness;
using BpfRemote.Simulation;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Xunit;

namespace BpfRemote.Agent.Tests.Running;

/// <summary>What a policy lets callers of a running agent do.</summary>
public sealed class PolicyTests : IDisposable
{
    private const string Team = "x509:spiffe://example.org/team";
    private const string TeamPin = "/sys/fs/bpf/team/table";
    private const string HiddenPin = "/sys/fs/bpf/other/table";

    /// <summary>Whoever has the unix socket may do everything; the team reads what is pinned in its directory.</summary>
    private const string Everything = """{ "name": "admin", "principals": ["unix:*"], "rights": ["list", "read", "full_pace"], "maps": [{ "name": "*" }] }""";

    private const string TeamReads = """{ "name": "team", "principals": ["x509:spiffe://example.org/team"], "rights": ["read"], "maps": [{ "pinnedPath": "/sys/fs/bpf/team/*" }] }""";

    /// <summary>Entries of a map that is sent in several responses.</summary>
    private const int Many = 200_000;

    private readonly AgentSite _site = new();

    /// <summary>Every way to ask for a map, by what it is called in a failure.</summary>
    internal static Dictionary<string, Func<AgentConnection, MapSelector, Task>> Requests { get; } = new()
    {
        ["GetMap"] = async (connection, map) => await connection.Maps.GetMapAsync(new() { Map = map }),
        ["GetMap FULL"] = async (connection, map) => await connection.Maps.GetMapAsync(new() { Map = map, View = MapView.Full }),
        ["LookupBatch"] = (connection, map) => connection.ScanAsync(new() { Map = map }),
        ["LookupBatch at full pace"] = (connection, map) => connection.ScanAsync(new() { Map = map, Pace = Pace.Full }),
        ["LookupElements"] = async (connection, map) => await connection.Maps.LookupElementsAsync(new() { Map = map, Keys = ByteString.CopyFrom(new byte[4]) }),
        ["LookupElements without keys"] = async (connection, map) => await connection.Maps.LookupElementsAsync(new() { Map = map }),
        ["GetBtf"] = (connection, map) => ReadBtfAsync(connection, new() { Map = map, Kind = BtfObjectKind.Map }),
        ["GetBtf of the kernel"] = (connection, map) => ReadBtfAsync(connection, new() { Map = map, Kind = BtfObjectKind.Vmlinux }),
    };

    public static TheoryData<string> Asking => [.. Requests.Keys];

    [Theory]
    [MemberData(nameof(Asking))]
    public async Task A_map_that_may_not_be_listed_is_answered_as_one_that_is_not_there_to_the_byte(string request)
    {
        SimulatedMap hidden = _site.AddMap("hidden", pin: HiddenPin);
        await using RunningAgent agent = await StartAsync(Everything, TeamReads);
        using AgentConnection team = ConnectTeam(agent);
        (MapSelector Hidden, MapSelector Absent)[] pairs =
        [
            (new() { Id = hidden.Id }, new() { Id = hidden.Id + 1 }),
            (new() { Name = "hidden" }, new() { Name = "absent" }),
            (new() { PinnedPath = HiddenPin }, new() { PinnedPath = "/sys/fs/bpf/other/absent" }),
        ];

        foreach ((MapSelector one, MapSelector other) in pairs)
        {
            Answer absent = await Answer.OfAsync(() => Requests[request](team, other));
            Assert.Equal(StatusCode.NotFound, absent.Status);
            Assert.Equal(absent, await Answer.OfAsync(() => Requests[request](team, one)));
        }
    }

    [Fact]
    public async Task So_is_one_that_a_token_continues()
    {
        SimulatedMap hidden = _site.AddMap("hidden", Many, HiddenPin);
        SimulatedMap absent = _site.AddMap("absent", Many, "/sys/fs/bpf/other/absent");
        await using RunningAgent agent = await StartAsync(Everything, TeamReads);
        using AgentConnection admin = agent.ConnectUnix();
        using AgentConnection team = ConnectTeam(agent);
        Func<SimulatedMap, MapSelector?>[] ways =
        [
            map => new() { Id = map.Id },
            map => new() { Name = map.Info.Name },
            map => new() { PinnedPath = map == hidden ? HiddenPin : "/sys/fs/bpf/other/absent" },
        ];
        (string, string)[] tokens = [.. await Task.WhenAll(ways.Select(async way => (await TokenAsync(admin, way(hidden)!), await TokenAsync(admin, way(absent)!))))];
        _site.Maps.RemoveMap(absent);

        for (int i = 0; i < ways.Length; i++)
        {
            foreach (Func<SimulatedMap, MapSelector?> way in (Func<SimulatedMap, MapSelector?>[])[_ => null, ways[i]])
            {
                Answer gone = await Answer.OfAsync(() => team.ScanAsync(new() { Map = way(absent), ContinuationToken = tokens[i].Item2 }));
                Assert.Equal(StatusCode.FailedPrecondition, gone.Status);
                Assert.Equal(gone, await Answer.OfAsync(() => team.ScanAsync(new() { Map = way(hidden), ContinuationToken = tokens[i].Item1 })));
            }
        }
    }

    [Fact]
    public async Task Lists_pages_and_ambiguity_know_of_visible_maps_only()
    {
        SimulatedMap theirs = _site.AddMap("table", pin: TeamPin);
        _site.AddMap("table", pin: HiddenPin);
        _site.AddMap("other");
        await using RunningAgent agent = await StartAsync(Everything, TeamReads);
        using AgentConnection admin = agent.ConnectUnix();
        using AgentConnection team = ConnectTeam(agent);

        Assert.Equal(["table", "table", "other"], await admin.ListAsync());
        ListMapsResponse page = await team.Maps.ListMapsAsync(
            new() { PageSize = 1, View = MapView.Full }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(theirs.Id, Assert.Single(page.Maps).Id);
        Assert.Equal("", page.NextPageToken);

        Assert.Single(await team.ScanAsync(new() { Map = new() { Name = "table" } }));
        IDictionary<string, string> ambiguous = await AgentConnection.AssertFailsAsync(
            StatusCode.FailedPrecondition, "MAP_NAME_AMBIGUOUS", () => admin.ScanAsync(new() { Map = new() { Name = "table" } }));
        Assert.Equal("2", ambiguous["matches"]);
    }

    [Fact]
    public async Task Listing_is_not_reading_and_reading_not_at_full_pace()
    {
        const string Rules =
            """
            { "principals": ["x509:spiffe://example.org/team"], "rights": ["list"], "maps": [{ "name": "listed" }] },
            { "principals": ["x509:spiffe://example.org/team"], "rights": ["read"], "maps": [{ "name": "read" }] },
            { "principals": ["x509:spiffe://example.org/team"], "rights": ["read", "full_pace"], "maps": [{ "name": "full" }] }
            """;
        _site.AddMap("listed");
        _site.AddMap("read");
        _site.AddMap("full");
        await using RunningAgent agent = await StartAsync(Rules);
        using AgentConnection team = ConnectTeam(agent);
        MapSelector listed = new() { Name = "listed" };

        Assert.Equal(["listed", "read", "full"], await team.ListAsync());
        await team.Maps.GetMapAsync(new() { Map = listed }, cancellationToken: TestContext.Current.CancellationToken);
        await AgentConnection.AssertFailsAsync(StatusCode.PermissionDenied, "READ_DENIED", () => Requests["LookupBatch"](team, listed));
        await AgentConnection.AssertFailsAsync(StatusCode.PermissionDenied, "READ_DENIED", () => Requests["LookupElements"](team, listed));
        await AgentConnection.AssertFailsAsync(
            StatusCode.PermissionDenied, "PACE_DENIED", () => Requests["LookupBatch at full pace"](team, new() { Name = "read" }));
        await Requests["LookupBatch"](team, new() { Name = "read" });
        await Requests["LookupBatch at full pace"](team, new() { Name = "full" });
    }

    [Fact]
    public async Task Another_callers_token_gives_no_right()
    {
        SimulatedMap listed = _site.AddMap("listed", Many);
        const string TeamLists = """{ "principals": ["x509:spiffe://example.org/team"], "rights": ["list"], "maps": [{ "name": "listed" }] }""";
        await using RunningAgent agent = await StartAsync(Everything, TeamLists);
        using AgentConnection admin = agent.ConnectUnix();
        using AgentConnection team = ConnectTeam(agent);
        using AgentConnection stranger = agent.ConnectTls(_site.ClientAuthority.Issue(CertificateWish.Client("spiffe://example.org/stranger")));
        string token = await TokenAsync(admin, new() { Id = listed.Id });

        await AgentConnection.AssertFailsAsync(StatusCode.PermissionDenied, "READ_DENIED", () => team.ScanAsync(new() { ContinuationToken = token }));
        await AgentConnection.AssertFailsAsync(StatusCode.PermissionDenied, "CALLER_DENIED", () => stranger.ScanAsync(new() { ContinuationToken = token }));
        Assert.NotEmpty(await admin.ScanAsync(new() { ContinuationToken = token }));
    }

    [Fact]
    public async Task A_token_for_gentle_reading_does_not_continue_at_full_pace()
    {
        _site.AddMap("table", Many, TeamPin);
        await using RunningAgent agent = await StartAsync(TeamReads);
        using AgentConnection team = ConnectTeam(agent);
        string token = await TokenAsync(team, new() { PinnedPath = TeamPin });

        await AgentConnection.AssertFailsAsync(
            StatusCode.PermissionDenied, "PACE_DENIED", () => team.ScanAsync(new() { ContinuationToken = token, Pace = Pace.Full }));
    }

    [Fact]
    public async Task A_running_stream_goes_on_by_what_was_decided_for_30_seconds_and_no_longer()
    {
        _site.Options.Limits.WriteTimeout = TimeSpan.FromMinutes(10);
        SimulatedMap map = _site.AddMap("table", Many, TeamPin);
        await using RunningAgent agent = await StartAsync(TeamReads.Replace("\"read\"", "\"read\", \"full_pace\"", StringComparison.Ordinal));
        using AgentConnection team = ConnectTeam(agent);

        // At full pace, which waits for no clock. Taken out of the team's directory in the midst of the scan: it is the team's map no more.
        InTheMidst(map, () =>
        {
            _site.Maps.Unpin(TeamPin);
            _site.Time.Advance(TimeSpan.FromSeconds(29));
        }, Pace.Full);
        List<LookupBatchResponse> whole = await team.ScanAsync(new() { Map = new() { PinnedPath = TeamPin }, Pace = Pace.Full });
        Assert.Equal(Many, whole.Sum(response => response.Count));

        _site.Maps.Pin(TeamPin, map);
        InTheMidst(map, () =>
        {
            _site.Maps.Unpin(TeamPin);
            _site.Time.Advance(TimeSpan.FromSeconds(30));
        }, Pace.Full);
        await AssertLosesAsync(team, StatusCode.FailedPrecondition, "MAP_REPLACED", Pace.Full);
    }

    [Theory]
    [InlineData("", "PermissionDenied", "CALLER_DENIED")]
    [InlineData("""{ "principals": ["x509:spiffe://example.org/team"], "rights": ["list"], "maps": [{ "name": "*" }] }""", "PermissionDenied", "READ_DENIED")]
    [InlineData("""{ "principals": ["x509:spiffe://example.org/team"], "rights": ["read"], "maps": [{ "name": "b" }] }""", "FailedPrecondition", "MAP_REPLACED")]
    public async Task A_running_stream_loses_at_once_what_a_new_policy_does_not_give(string rules, string status, string reason)
    {
        SimulatedMap map = _site.AddMap("table", Many, TeamPin);
        await using RunningAgent agent = await StartAsync(TeamReads);
        using AgentConnection team = ConnectTeam(agent);
        InTheMidst(map, () =>
        {
            WriteRules(rules);
            agent.Refresh();
        });

        await AssertLosesAsync(team, Enum.Parse<StatusCode>(status), reason);
    }

    [Fact]
    public async Task A_running_stream_loses_full_pace()
    {
        const string Full = """{ "principals": ["x509:spiffe://example.org/team"], "rights": ["full_pace"], "maps": [{ "name": "*" }] }""";
        SimulatedMap map = _site.AddMap("table", Many, TeamPin);
        await using RunningAgent agent = await StartAsync(TeamReads, Full);
        using AgentConnection team = ConnectTeam(agent);
        InTheMidst(map, () =>
        {
            WriteRules(TeamReads);
            agent.Refresh();
        }, Pace.Full);

        await AssertLosesAsync(team, StatusCode.PermissionDenied, "PACE_DENIED", Pace.Full);
    }

    [Fact]
    public async Task A_policy_that_is_broken_leaves_the_last_good_one_in_force()
    {
        _site.AddMap("table", pin: TeamPin);
        await using RunningAgent agent = await StartAsync(TeamReads);
        using AgentConnection team = ConnectTeam(agent);
        using AgentConnection admin = agent.ConnectUnix();

        _site.WritePolicy("""{ "rules": [{ "rights": ["write"] }] }""");
        agent.Refresh();

        Assert.Equal(["table"], await team.ListAsync());
        await AgentConnection.AssertFailsAsync(StatusCode.PermissionDenied, "CALLER_DENIED", admin.ListAsync);
        Assert.Contains(agent.Log.Lines, line => line.Level == LogLevel.Error
            && line.Message.Contains("line 1: rules[0].rights[0]: 'write' is no right", StringComparison.Ordinal));

        WriteRules(Everything);
        agent.Refresh();
        Assert.Equal(["table"], await admin.ListAsync());
        await AgentConnection.AssertFailsAsync(StatusCode.PermissionDenied, "CALLER_DENIED", team.ListAsync);
    }

    [Fact]
    public async Task Who_is_in_no_rule_is_told_who_it_is_and_nothing_else()
    {
        await using RunningAgent agent = await StartAsync(Everything);
        using AgentConnection team = ConnectTeam(agent);

        IDictionary<string, string> metadata = await AgentConnection.AssertFailsAsync(StatusCode.PermissionDenied, "CALLER_DENIED", team.PrincipalAsync);
        Assert.Equal(Team, Assert.Single(metadata).Value);
    }

    public void Dispose() => _site.Dispose();

    private static async Task ReadBtfAsync(AgentConnection connection, GetBtfRequest request)
    {
        using AsyncServerStreamingCall<GetBtfResponse> call = connection.Maps.GetBtf(request);
        await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
    }

    private static async Task<string> TokenAsync(AgentConnection connection, MapSelector map) =>
        Assert.Single(await connection.ScanAsync(new() { Map = map, Limit = 1 })).ContinuationToken;

    /// <summary>Does something once, in the agent's thread, when the first response of a scan is written: until then three are read.</summary>
    /// <param name="map">The map that is scanned.</param>
    /// <param name="action">What happens.</param>
    /// <param name="pace">How fast: native calls read 16 to 256 entries at gentle pace, 2,048 at full pace, and a response has 5,461.</param>
    private static void InTheMidst(SimulatedMap map, Action action, Pace pace = Pace.Gentle)
    {
        int calls = 0;
        map.BetweenCalls = call =>
        {
            if (call == NativeCall.LookupBatch && ++calls == (pace == Pace.Full ? 14 : 400))
            {
                action();
            }
        };
    }

    private static async Task AssertLosesAsync(AgentConnection connection, StatusCode status, string reason, Pace pace = Pace.Unspecified)
    {
        ulong received = 0;
        await AgentConnection.AssertFailsAsync(status, reason, () => connection.ScanAsync(
            new() { Map = new() { PinnedPath = TeamPin }, Pace = pace }, response => received += response.Count));
        Assert.InRange(received, 1UL, Many - 1UL);
    }

    private async Task<RunningAgent> StartAsync(params IEnumerable<string> rules)
    {
        WriteRules(rules);
        return await _site.StartAsync();
    }

    private void WriteRules(params IEnumerable<string> rules) => _site.WritePolicy($"{{ \"rules\": [{string.Join(',', rules)}] }}");

    private AgentConnection ConnectTeam(RunningAgent agent) =>
        agent.ConnectTls(_site.ClientAuthority.Issue(CertificateWish.Client(Team["x509:".Length..])));

    /// <summary>All that a failed call tells its caller.</summary>
    private sealed record Answer(StatusCode Status, string Message, string Trailers)
    {
        public static async Task<Answer> OfAsync(Func<Task> call)
        {
            RpcException error = await Assert.ThrowsAsync<RpcException>(call);
            return new(error.StatusCode, error.Status.Detail, string.Join('\n', error.Trailers
                .Where(entry => entry.Key != "date")
                .Select(entry => $"{entry.Key}: {(entry.IsBinary ? Convert.ToHexString(entry.ValueBytes) : entry.Value)}")));
        }
    }
}
