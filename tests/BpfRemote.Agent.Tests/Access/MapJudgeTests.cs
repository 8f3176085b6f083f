using System.Text;
using BpfRemote.Agent.Access;
using BpfRemote.Agent.Access.Policy;
using BpfRemote.Libbpf;
using Xunit;

namespace BpfRemote.Agent.Tests.Access;

public sealed class MapJudgeTests
{
    private const string Pin = "/sys/fs/bpf/team/a";

    private static readonly MapInfo Map = new() { Id = 1, Type = BpfMapType.Hash, Name = "a" };
    private static readonly MapInfo Other = new() { Id = 2, Type = BpfMapType.Hash, Name = "b" };

    private int _walks;

    [Fact]
    public void Reading_gives_listing_and_nothing_gives_more_than_it_says()
    {
        MapJudge reader = JudgeOf("""{ "rights": ["read"], "maps": [{ "name": "a" }] }""");
        MapJudge lister = JudgeOf("""{ "rights": ["list"], "maps": [{ "name": "a" }] }""");
        MapJudge hasty = JudgeOf("""{ "rights": ["full_pace"], "maps": [{ "name": "a" }] }""");

        Assert.Equal((true, true, false), RightsTo(Map, reader));
        Assert.Equal((true, false, false), RightsTo(Map, lister));
        Assert.Equal((false, false, true), RightsTo(Map, hasty));
        Assert.Equal((false, false, false), RightsTo(Other, reader));
        Assert.Equal(0, _walks);
    }

    [Fact]
    public void Rights_of_several_rules_add_up_and_the_first_that_gives_one_is_named()
    {
        MapJudge judge = JudgeOf(
            """{ "name": "1", "rights": ["list"], "maps": [{ "name": "a" }] }""",
            """{ "name": "2", "rights": ["read"], "maps": [{ "name": "a" }] }""",
            """{ "name": "3", "rights": ["read", "full_pace"], "maps": [{ "name": "*" }] }""");

        Assert.Equal(
            ["1", "2", "3"],
            ((MapRights[])[MapRights.List, MapRights.Read, MapRights.FullPace]).Select(right => judge.RuleFor(right, Map, pin: null)!.Name));
    }

    [Fact]
    public void Pins_are_walked_for_once_and_only_where_the_answer_depends_on_them()
    {
        MapJudge judge = JudgeOf(
            """{ "name": "pin", "rights": ["read"], "maps": [{ "pinnedPath": "/sys/fs/bpf/team/*", "types": ["hash"] }] }""",
            """{ "name": "name", "rights": ["list"], "maps": [{ "name": "b" }] }""");

        Assert.Equal("pin", judge.RuleFor(MapRights.Read, Map, Pin)?.Name); // opened through the pin: known
        Assert.Equal("name", judge.RuleFor(MapRights.List, Other, pin: null)?.Name); // by a rule that needs none
        Assert.Null(judge.RuleFor(MapRights.FullPace, Map, pin: null)); // which no rule gives
        Assert.Null(judge.RuleFor(MapRights.Read, Map with { Type = BpfMapType.Array }, pin: null)); // nor for this type
        Assert.Equal(0, _walks);

        Assert.Equal("pin", judge.RuleFor(MapRights.Read, Map, pin: null)?.Name);
        Assert.Equal("pin", judge.RuleFor(MapRights.List, Map, pin: "/sys/fs/bpf/elsewhere")?.Name);
        Assert.Null(judge.RuleFor(MapRights.Read, Other, pin: null));
        Assert.Equal(1, _walks);
    }

    [Fact]
    public void A_rule_by_known_facts_goes_before_one_that_takes_a_walk()
    {
        MapJudge judge = JudgeOf(
            """{ "name": "pin", "rights": ["read"], "maps": [{ "pinnedPath": "/sys/fs/bpf/team/*" }] }""",
            """{ "name": "name", "rights": ["read"], "maps": [{ "name": "a" }] }""");

        Assert.Equal("name", judge.RuleFor(MapRights.Read, Map, pin: null)?.Name);
        Assert.Equal(0, _walks);
    }

    private static (bool List, bool Read, bool FullPace) RightsTo(MapInfo map, MapJudge judge) => (
        judge.RuleFor(MapRights.List, map, pin: null) is not null,
        judge.RuleFor(MapRights.Read, map, pin: null) is not null,
        judge.RuleFor(MapRights.FullPace, map, pin: null) is not null);

    private MapJudge JudgeOf(params IEnumerable<string> rules)
    {
        string json = string.Join(',', rules.Select(rule => $"{{ \"principals\": [\"anonymous\"], {rule[1..]}"));
        AccessPolicy policy = PolicyReader.Read(Encoding.UTF8.GetBytes($"{{ \"rules\": [{json}] }}"));
        return new(policy.RulesFor(new(Caller.Anonymous, [], "")), () =>
        {
            _walks++;
            return PinnedMaps.From([(Map.Id, Pin)]);
        });
    }
}
