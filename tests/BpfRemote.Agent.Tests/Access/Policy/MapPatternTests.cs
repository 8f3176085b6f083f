using BpfRemote.Agent.Access.Policy;
using BpfRemote.Libbpf;
using Xunit;

namespace BpfRemote.Agent.Tests.Access.Policy;

public sealed class MapPatternTests
{
    private static readonly MapInfo Map = new() { Id = 1, Type = BpfMapType.LruHash, Name = "conn_table" };

    [Theory]
    [InlineData("conn_*", null, true)]
    [InlineData("conn_table", "lru_hash", true)]
    [InlineData("conn_table", "9", true)]
    [InlineData("conn_table", "hash", false)]
    [InlineData("conn", null, false)]
    [InlineData(null, "lru_hash", true)]
    public void All_that_is_given_must_fit(string? name, string? type, bool fits) =>
        Assert.Equal(fits, Parse(new() { Name = name, Types = type is null ? null : ["array", type] }).Fits(Map));

    [Theory]
    [InlineData("/sys/fs/bpf/team/*", "/sys/fs/bpf/team/a", true)]
    [InlineData("/sys/fs/bpf/team/*", "/sys/fs/bpf/team/a/b", false)]
    [InlineData("/sys/fs/bpf/team/**", "/sys/fs/bpf/team/a/b", true)]
    [InlineData("/sys/fs/bpf/team/*", "/sys/fs/bpf/teams/a", false)]
    public void Pins(string pattern, string pin, bool fits) => Assert.Equal(fits, Parse(new() { PinnedPath = pattern }).FitsPin(pin));

    [Theory]
    [InlineData("fifteen_letters", true)]
    [InlineData("sixteen__letters", false)]
    [InlineData("*_fifteen_lett_", true)]
    [InlineData("*sixteen__letters*", false)]
    [InlineData("müller_tables_", true)] // 14 characters, 15 bytes
    [InlineData("müller_tables__", false)]
    [InlineData(@"\*fifteen_lette", true)] // the backslash is not of the name
    [InlineData("???????????????", true)]
    [InlineData("????????????????", false)]
    public void A_name_that_the_kernel_does_not_keep_is_refused(string name, bool isKept)
    {
        List<(string Path, string Text)> violations = [];
        MapPattern.Parse(new() { Name = name }, "maps[0]", violations);

        Assert.Equal(isKept ? 0 : 1, violations.Count);
    }

    [Theory]
    [InlineData("a", null, true)]
    [InlineData("a*", null, true)]
    [InlineData("*", null, false)] // every map: no name that another one could take
    [InlineData("a", "/sys/fs/bpf/a", false)]
    [InlineData(null, "/sys/fs/bpf/a", false)]
    public void Selecting_by_name_alone_is_noticed(string? name, string? pin, bool isByName)
    {
        MapPattern pattern = Parse(new() { Name = name, PinnedPath = pin });

        Assert.Equal((isByName, pin is not null), (pattern.IsByName, pattern.IsByPin));
    }

    private static MapPattern Parse(MapDocument document)
    {
        List<(string Path, string Text)> violations = [];
        MapPattern pattern = MapPattern.Parse(document, "maps[0]", violations);
        Assert.Empty(violations);
        return pattern;
    }
}
