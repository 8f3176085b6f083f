using BpfRemote.Agent.Access.Policy;
using Xunit;

namespace BpfRemote.Agent.Tests.Access.Policy;

public sealed class PrincipalPatternTests
{
    private static readonly string[] Schemes = ["unix:", "x509:", "jwt:", "anonymous"];

    [Theory]
    [InlineData("unix:uid=1", "unix:uid=1", true)]
    [InlineData("unix:uid=1", "unix:uid=10", false)]
    [InlineData("unix:uid=1", "unix:uid=", false)]
    [InlineData("unix:uid=1", "UNIX:uid=1", false)]
    [InlineData("x509:spiffe://a/*", "x509:spiffe://a/b/c", true)]
    [InlineData("x509:spiffe://a/*", "x509:spiffe://a/", true)]
    [InlineData("x509:spiffe://a/*", "x509:spiffe://ab", false)]
    [InlineData("x509:*", "x509:", true)]
    [InlineData("x509:*", "jwt:x509:", false)]
    [InlineData("jwt:https://issuer#*", "jwt:https://issuer#alice", true)]
    [InlineData("jwt:https://issuer#*", "jwt:https://issuer.evil#alice", false)]
    [InlineData("anonymous", "anonymous", true)]
    public void Fits(string pattern, string name, bool fits)
    {
        PrincipalPattern? parsed = PrincipalPattern.TryParse(pattern, Schemes, out string error);

        Assert.NotNull(parsed);
        Assert.Equal("", error);
        Assert.Equal(fits, parsed.Fits(name));
        Assert.Equal(pattern, parsed.ToString());
    }

    [Theory]
    [InlineData("", "begins like no name")]
    [InlineData("*", "begins like no name")]
    [InlineData("unix*", "begins like no name")]
    [InlineData("uid=0", "begins like no name")]
    [InlineData("Unix:uid=0", "begins like no name")]
    [InlineData("unix:", "names nobody")]
    [InlineData("unix:*:1", "before its end")]
    [InlineData("x509:**", "before its end")]
    [InlineData("anonymous*", "expected anonymous")]
    [InlineData("anonymous2", "expected anonymous")]
    public void What_is_no_pattern_says_what_was_expected(string pattern, string expected)
    {
        Assert.Null(PrincipalPattern.TryParse(pattern, Schemes, out string error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unix:uid=1", true)] // as a principal
    [InlineData("unix:uid=2", false)]
    [InlineData("unix-group:gid=7", false)] // a group's name is no principal
    public void A_caller_is_a_subject_by_its_principal(string principal, bool isSubject) =>
        Assert.Equal(isSubject, Parse(["unix:uid=1"], ["unix-group:gid=7"]).Include(new(principal, [], "")));

    [Theory]
    [InlineData("unix-group:gid=7", true)]
    [InlineData("unix-group:gid=77", false)]
    [InlineData("unix:uid=1", false)] // nor a principal's name a group
    public void A_caller_is_a_subject_by_any_of_its_groups(string group, bool isSubject) => Assert.Equal(
        isSubject, Parse(["unix:uid=1"], ["unix-group:gid=7"]).Include(new("unix:uid=9", ["unix-group:gid=100", group], "")));

    private static Subjects Parse(IReadOnlyList<string> principals, IReadOnlyList<string> groups)
    {
        List<(string Path, string Text)> violations = [];
        Subjects subjects = Subjects.Parse(principals, groups, "rules[0]", violations);
        Assert.Empty(violations);
        return subjects;
    }
}
