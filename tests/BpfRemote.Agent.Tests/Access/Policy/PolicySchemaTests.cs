using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BpfRemote.Agent.Access.Policy;
using Json.Schema;
using Xunit;

namespace BpfRemote.Agent.Tests.Access.Policy;

/// <summary>The schema that editors use says what the agent says.</summary>
public sealed class PolicySchemaTests
{
    private static readonly string Deploy = typeof(PolicySchemaTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == "Deploy").Value!;

    private static readonly JsonSchema Schema = JsonSchema.FromText(File.ReadAllText(Path.Combine(Deploy, "policy.schema.json")));

    private static string Example => File.ReadAllText(Path.Combine(Deploy, "policy.example.json"));

    [Fact]
    public void The_example_is_a_policy()
    {
        AccessPolicy policy = PolicyReader.Read(Encoding.UTF8.GetBytes(Example));

        Assert.True(IsOfSchema(Example));
        Assert.True(policy.AuditRequired);
        Assert.Equal(["administrator", "dashboard", "network team", "on call"], policy.Rules.Select(rule => rule.Name));
        Assert.Equal(2, policy.Limits.Count);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{ "audit": "best_effort", "rules": [], "limits": [] }""")]
    [InlineData("""{ "rules": [{ "name": null, "principals": ["anonymous"], "groups": [], "rights": ["list"], "maps": [{ "name": "" }] }] }""")]
    [InlineData("""{ "rules": [{ "groups": ["jwt-group:*"], "rights": ["read", "read"], "maps": [{ "types": ["hash", "34"], "name": null }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["x509:a*"], "rights": ["full_pace"], "maps": [{ "pinnedPath": "**/a" }] }] }""")]
    [InlineData("""{ "limits": [{ "principals": ["unix:*"], "maxConcurrentScans": 1024, "kernelTimePerMinute": null }] }""")]
    [InlineData("""{ "limits": [{ "principals": ["unix:*"], "kernelTimePerMinute": "00:01:00" }] }""")]
    [InlineData("""{ "limits": [{ "principals": ["unix:*"], "kernelTimePerMinute": "00:00:00.001" }] }""")]
    public void Both_take(string json)
    {
        PolicyReader.Read(Encoding.UTF8.GetBytes(json));
        Assert.True(IsOfSchema(json));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{ "ruels": [] }""")]
    [InlineData("""{ "rules": null }""")]
    [InlineData("""{ "rules": {} }""")]
    [InlineData("""{ "rules": [null] }""")]
    [InlineData("""{ "audit": "always" }""")]
    [InlineData("""{ "audit": 1 }""")]
    [InlineData("""{ "audit": null }""")]
    [InlineData("""{ "rules": [{ "principals": [], "groups": [], "rights": ["list"], "maps": [{ "name": "a" }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": null, "groups": ["unix-group:gid=1"], "rights": ["list"], "maps": [{ "name": "a" }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["*"], "rights": ["list"], "maps": [{ "name": "a" }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:"], "rights": ["list"], "maps": [{ "name": "a" }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:*1"], "rights": ["list"], "maps": [{ "name": "a" }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix-group:gid=1"], "rights": ["list"], "maps": [{ "name": "a" }] }] }""")]
    [InlineData("""{ "rules": [{ "groups": ["unix:uid=1"], "rights": ["list"], "maps": [{ "name": "a" }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:*"], "rights": [], "maps": [{ "name": "a" }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:*"], "rights": ["write"], "maps": [{ "name": "a" }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:*"], "rights": ["list"], "maps": [] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:*"], "rights": ["list"], "maps": [{}] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:*"], "rights": ["list"], "maps": [{ "name": null }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:*"], "rights": ["list"], "maps": [{ "pinnedPath": "a" }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:*"], "rights": ["list"], "maps": [{ "types": [] }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:*"], "rights": ["list"], "maps": [{ "types": ["LRU"] }] }] }""")]
    [InlineData("""{ "rules": [{ "principals": ["unix:*"], "rights": ["list"], "maps": [{ "id": 1 }] }] }""")]
    [InlineData("""{ "limits": [{ "principals": ["unix:*"] }] }""")]
    [InlineData("""{ "limits": [{ "maxConcurrentScans": 1 }] }""")]
    [InlineData("""{ "limits": [{ "principals": ["unix:*"], "maxConcurrentScans": 0 }] }""")]
    [InlineData("""{ "limits": [{ "principals": ["unix:*"], "maxConcurrentScans": 1025 }] }""")]
    [InlineData("""{ "limits": [{ "principals": ["unix:*"], "maxConcurrentScans": "1" }] }""")]
    [InlineData("""{ "limits": [{ "principals": ["unix:*"], "kernelTimePerMinute": "00:01:01" }] }""")]
    [InlineData("""{ "limits": [{ "principals": ["unix:*"], "kernelTimePerMinute": "1s" }] }""")]
    [InlineData("""{ "limits": [{ "principals": ["unix:*"], "kernelTimePerMinute": 1 }] }""")]
    public void Both_refuse(string json)
    {
        Assert.Throws<PolicyException>(() => PolicyReader.Read(Encoding.UTF8.GetBytes(json)));
        Assert.False(IsOfSchema(json));
    }

    private static bool IsOfSchema(string json)
    {
        JsonNode? node = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        return Schema.Evaluate(JsonSerializer.SerializeToElement(node)).IsValid;
    }
}
