using System.Text;
using BpfRemote.Agent.Access.Policy;
using Xunit;

namespace BpfRemote.Agent.Tests.Access.Policy;

public sealed class PolicyReaderTests
{
    private const string Rule = """{ "name": "r", "principals": ["unix:uid=1"], "rights": ["read"], "maps": [{ "name": "a" }] }""";

    [Fact]
    public void A_whole_policy()
    {
        AccessPolicy policy = Read("""
            // who may do what
            {
              "$schema": "policy.schema.json",
              "audit": "required",
              "rules": [
                { "name": "admins", "groups": ["unix-group:gid=0"], "rights": ["list", "read", "full_pace"], "maps": [{ "name": "*" }], },
                {
                  "principals": ["x509:spiffe://example.org/*", "anonymous"], /* two */
                  "rights": ["read"],
                  "maps": [{ "pinnedPath": "/sys/fs/bpf/team/**", "types": ["hash", "lru_hash", "34"] }]
                }
              ],
              "limits": [{ "principals": ["anonymous"], "maxConcurrentScans": 1, "kernelTimePerMinute": "00:00:00.5" }]
            }
            """);

        Assert.True(policy.AuditRequired);
        Assert.Equal(["admins", "rule 2"], policy.Rules.Select(rule => rule.Name));
        Assert.Equal([MapRights.All, MapRights.Read | MapRights.List], policy.Rules.Select(rule => rule.Rights));
        LimitRule limit = Assert.Single(policy.Limits);
        Assert.Equal((1, TimeSpan.FromMilliseconds(500)), (limit.MaxConcurrentScans, limit.KernelTimePerMinute));
        Assert.Equal("rule 2", Assert.Single(policy.RulesFor(new("anonymous", [], ""))).Name);
        Assert.Equal("admins", Assert.Single(policy.RulesFor(new("unix:uid=7", ["unix-group:gid=0"], ""))).Name);
        Assert.Empty(policy.RulesFor(new("unix:uid=0", [], "")));
    }

    [Fact]
    public void Nothing_is_a_policy_that_gives_nobody_anything()
    {
        AccessPolicy policy = Read("{}");

        Assert.False(policy.AuditRequired);
        Assert.Empty(policy.RulesFor(new("unix:uid=0", [], "")));
    }

    [Fact]
    public void A_byte_order_mark_is_passed_over_and_counts_no_line()
    {
        byte[] json = [0xef, 0xbb, 0xbf, .. Encoding.UTF8.GetBytes("{}")];
        Assert.Empty(PolicyReader.Read(json).Rules);

        byte[] broken = [0xef, 0xbb, 0xbf, .. Encoding.UTF8.GetBytes("{\n\"rules\": [{}]}")];
        Assert.All(Assert.Throws<PolicyException>(() => PolicyReader.Read(broken)).Violations, line => Assert.StartsWith("line 2: ", line));
    }

    [Fact]
    public void Everything_wrong_is_named_at_once_with_its_line_and_rule_in_the_order_of_the_file() => Assert.Equal(
        [
            "line 4: rules[0] 'team': applies to nobody; expected principals or groups",
            "line 6: rules[0] 'team'.rights[0]: 'write' is no right; expected list, read, full_pace",
            "line 8: rules[0] 'team'.maps[0].name: 'connections_of_all' fits no map: the kernel keeps 15 bytes of a name, and this takes 18",
            "line 9: rules[0] 'team'.maps[1]: selects nothing; expected pinnedPath, name or types",
            "line 12: rules[1].principals[0]: 'root' begins like no name; expected unix:, x509:, jwt: or anonymous",
            "line 15: limits[0].maxConcurrentScans: is 0; expected 1 to 1024",
        ],
        ViolationsOf("""
            /* over
               two lines */
            { "rules": [
              {
                "name": "team",
                "rights": ["write"],
                "maps": [
                  { "name": "connections_of_all" },
                  {}
                ]
              },
              { "principals": ["root"], "rights": ["list"], "maps": [{ "name": "a" }] }
            ],
              "limits": [
              { "principals": ["unix:uid=1"], "maxConcurrentScans": 0 }
            ] }
            """));

    [Theory]
    [InlineData("""{ "rights": [], "maps": [{ "name": "a" }], "principals": ["unix:uid=1"] }""", "rules[0]: gives nothing")]
    [InlineData("""{ "rights": ["list"], "maps": [], "principals": ["unix:uid=1"] }""", "rules[0]: applies to no map")]
    [InlineData("""{ "rights": ["list"], "maps": [{ "name": "a" }] }""", "rules[0]: applies to nobody")]
    [InlineData("""{ "rights": ["Read"], "maps": [{ "name": "a" }], "principals": ["unix:uid=1"] }""", "rules[0].rights[0]: 'Read' is no right")]
    [InlineData("""{ "rights": [null], "maps": [{ "name": "a" }], "principals": ["unix:uid=1"] }""", "rules[0].rights[0]: '' is no right")]
    [InlineData("""{ "rights": ["list"], "maps": [null], "principals": ["unix:uid=1"] }""", "rules[0].maps[0]: selects nothing")]
    [InlineData("""{ "rights": ["list"], "maps": [{ "name": "a" }], "principals": [null] }""", "rules[0].principals[0]: '' begins like no name")]
    [InlineData("""{ "rights": ["list"], "maps": [{ "name": "a" }], "groups": ["unix:uid=1"] }""", "rules[0].groups[0]: 'unix:uid=1' begins like no name")]
    [InlineData("""{ "rights": ["list"], "maps": [{ "name": "[a" }], "groups": ["unix-group:gid=1"] }""", "rules[0].maps[0].name: '[' without ']'")]
    [InlineData("""{ "rights": ["list"], "maps": [{ "pinnedPath": "team/a" }], "groups": ["unix-group:gid=1"] }""", "rules[0].maps[0].pinnedPath: 'team/a' fits no pin")]
    [InlineData("""{ "rights": ["list"], "maps": [{ "types": [] }], "groups": ["unix-group:gid=1"] }""", "rules[0].maps[0].types: is empty")]
    [InlineData("""{ "rights": ["list"], "maps": [{ "types": ["hash", "tree"] }], "groups": ["unix-group:gid=1"] }""", "rules[0].maps[0].types[1]: 'tree' is no map type")]
    [InlineData("""{ "rights": ["list"], "maps": [{ "types": [null] }], "groups": ["unix-group:gid=1"] }""", "rules[0].maps[0].types[0]: '' is no map type")]
    [InlineData("null", "rules[0]: gives nothing")]
    [InlineData("7", "rules[0]: ")]
    public void A_rule_that_is_none_is_said_to_be_so(string rule, string violation)
    {
        IReadOnlyList<string> violations = ViolationsOf($$"""
            {
              "rules": [
                {{rule}}
              ]
            }
            """);

        Assert.Contains(violations, line => line.StartsWith($"line 3: {violation}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{ "principals": ["unix:uid=1"] }""", "limits[0]: limits nothing")]
    [InlineData("""{ "maxConcurrentScans": 1 }""", "limits[0]: applies to nobody")]
    [InlineData("""{ "principals": ["unix:uid=1"], "maxConcurrentScans": 1025 }""", "limits[0].maxConcurrentScans: is 1025")]
    [InlineData("""{ "principals": ["unix:uid=1"], "kernelTimePerMinute": "00:00:00" }""", "limits[0].kernelTimePerMinute: is 00:00:00")]
    [InlineData("""{ "principals": ["unix:uid=1"], "kernelTimePerMinute": "00:01:01" }""", "limits[0].kernelTimePerMinute: is 00:01:01")]
    [InlineData("""{ "principals": ["unix:uid=1"], "kernelTimePerMinute": "-00:00:01" }""", "limits[0].kernelTimePerMinute: is -00:00:01")]
    [InlineData("""{ "principals": ["unix:uid=1"], "kernelTimePerMinute": "1 s" }""", "limits[0].kernelTimePerMinute: ")]
    [InlineData("null", "limits[0]: limits nothing")]
    public void A_limit_that_is_none_is_said_to_be_so(string limit, string violation) => Assert.Contains(
        ViolationsOf($"{{\n\"limits\": [\n{limit}] }}"), line => line.StartsWith($"line 3: {violation}", StringComparison.Ordinal));

    [Theory]
    [InlineData("", 1, "")]
    [InlineData("null", 1, "expected an object")]
    [InlineData("[]", 1, "")]
    [InlineData("{\n  \"ruels\": [] }", 2, "ruels: no such name in a policy file")]
    [InlineData("{\n  \"Rules\": [] }", 2, "Rules: no such name in a policy file")]
    [InlineData("{ \"rules\": [\n{ \"right\": [] }] }", 2, "rules[0].right: no such name in a policy file")]
    [InlineData("{ \"rules\": [],\n\"rules\": [] }", 2, "")]
    [InlineData("{ \"rules\": [{ \"rights\": [\"list\"],\n\"rights\": [\"read\"] }] }", 2, "")]
    [InlineData("{ \"rules\":\nnull }", 2, "")]
    [InlineData("{ \"rules\": [{ \"principals\":\nnull }] }", 2, "")]
    [InlineData("{ \"audit\":\n\"always\" }", 2, "audit: ")]
    [InlineData("{ \"audit\":\n1 }", 2, "audit: ")]
    [InlineData("{ \"rules\": [ }\n", 1, "")]
    [InlineData("{}\n{}", 2, "")]
    [InlineData("{ \"rules\": [\n\"name\" ] }", 2, "rules[0]: ")]
    public void What_is_no_policy_says_where(string json, int line, string text) =>
        Assert.StartsWith($"line {line}: {text}", Assert.Single(ViolationsOf(json)), StringComparison.Ordinal);

    [Fact]
    public void Nesting_is_bounded() =>
        Assert.Single(ViolationsOf($"{{ \"rules\": {new string('[', 100_000)}"));

    [Fact]
    public void What_is_named_is_bounded_however_much_is_wrong()
    {
        IReadOnlyList<string> violations = ViolationsOf($"{{ \"rules\": [{string.Join(',', Enumerable.Repeat("null", 10_000))}] }}");

        Assert.Equal(101, violations.Count);
        Assert.Equal("and 29900 more", violations[^1]);
    }

    [Fact]
    public void A_file_that_is_too_large_is_not_read()
    {
        string large = $"{{ \"rules\": [{Rule}] }}{new string(' ', 1 << 20)}";

        Assert.Equal([$"has {large.Length} bytes; expected at most 1048576"], ViolationsOf(large));
        Assert.Single(Read(large[..(1 << 20)]).Rules);
    }

    private static AccessPolicy Read(string json) => PolicyReader.Read(Encoding.UTF8.GetBytes(json));

    private static IReadOnlyList<string> ViolationsOf(string json) => Assert.Throws<PolicyException>(() => Read(json)).Violations;
}
