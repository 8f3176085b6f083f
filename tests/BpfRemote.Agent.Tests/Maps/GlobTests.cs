using BpfRemote.Agent.Maps;
using Xunit;

namespace BpfRemote.Agent.Tests.Maps;

public sealed class GlobTests
{
    [Theory]
    [InlineData("*", "", true)]
    [InlineData("*", "anything", true)]
    [InlineData("conn*", "conn_table", true)]
    [InlineData("conn*", "xconn", false)]
    [InlineData("*_table", "conn_table", true)]
    [InlineData("c?nn", "conn", true)]
    [InlineData("c?nn", "cnn", false)]
    [InlineData("c[aou]nn", "conn", true)]
    [InlineData("c[!aou]nn", "conn", false)]
    [InlineData("map[0-9]", "map7", true)]
    [InlineData("map[0-9]", "mapx", false)]
    [InlineData("[]]", "]", true)]
    [InlineData("a\\*", "a*", true)]
    [InlineData("a\\*", "ab", false)]
    [InlineData("*a*b*c*", "xxaxxbxxcxx", true)]
    [InlineData("*a*b*c*", "xxaxxcxxbxx", false)]
    [InlineData("a/*", "a/b/c", true)]
    public void Names(string pattern, string text, bool fits) => Assert.Equal(fits, Parse(pattern, isPath: false).Fits(text));

    [Theory]
    [InlineData("/sys/fs/bpf/*", "/sys/fs/bpf/conns", true)]
    [InlineData("/sys/fs/bpf/*", "/sys/fs/bpf/team/conns", false)]
    [InlineData("/sys/fs/bpf/**", "/sys/fs/bpf/team/conns", true)]
    [InlineData("/sys/fs/bpf/*/conns", "/sys/fs/bpf/team/conns", true)]
    [InlineData("/sys?fs", "/sys/fs", false)]
    [InlineData("/sys[/]fs", "/sys/fs", false)]
    [InlineData("/a/**/z", "/a/b/c/z", true)]
    public void Paths(string pattern, string text, bool fits) => Assert.Equal(fits, Parse(pattern, isPath: true).Fits(text));

    [Theory]
    [InlineData("[abc")]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("abc\\")]
    public void A_pattern_that_is_none_says_why(string pattern)
    {
        Assert.Null(Glob.TryParse(pattern, isPath: false, out string error));
        Assert.NotEmpty(error);
    }

    [Fact]
    public void A_pattern_made_to_be_slow_is_not()
    {
        // A backtracking matcher would take 2^40 steps; this one takes pattern × text.
        Glob glob = Parse(string.Concat(Enumerable.Repeat("*a", 40)) + "b", isPath: false);

        Assert.False(glob.Fits(new string('a', 4_000)));
    }

    private static Glob Parse(string pattern, bool isPath)
    {
        Glob? glob = Glob.TryParse(pattern, isPath, out string error);
        Assert.Equal("", error);
        return glob!;
    }
}
