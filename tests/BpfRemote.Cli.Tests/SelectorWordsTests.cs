using BpfRemote.Cli.Arguments;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Tests;

public sealed class SelectorWordsTests
{
    public static TheoryData<string, MapSelector> Selectors => new()
    {
        { "id 42", MapSelectors.ById(42) },
        { "i 0x2a", MapSelectors.ById(42) },
        { "id 4294967295", MapSelectors.ById(uint.MaxValue) },
        { "name connections", MapSelectors.ByName("connections") },
        { "n id", MapSelectors.ByName("id") },
        { "pinned /sys/fs/bpf/m", MapSelectors.ByPinnedPath("/sys/fs/bpf/m") },
    };

    [Theory]
    [MemberData(nameof(Selectors))]
    public void Words_select_maps(string words, MapSelector expected) => Assert.Equal(expected, SelectorWords.Take(Reader(words)));

    [Theory]
    [InlineData("", "expected a map: 'id N', 'name NAME' or 'pinned PATH'")]
    [InlineData("id", "expected a map id after 'id'")]
    [InlineData("name", "expected a map name after 'name'")]
    [InlineData("pinned", "expected an absolute path after 'pinned'")]
    [InlineData("id abc", "can't parse abc as ID")]
    [InlineData("id 0", "can't parse 0 as ID")]
    [InlineData("id -1", "can't parse -1 as ID")]
    [InlineData("id 4294967296", "can't parse 4294967296 as ID")]
    [InlineData("name 0123456789abcdef", "can't parse name '0123456789abcdef': the kernel keeps names of 1 to 15 bytes")]
    [InlineData("pinned m", "can't use path 'm': a pin on the node is named by its absolute path")]
    [InlineData("prog 1", "expected 'id', 'name' or 'pinned', got: 'prog'?")]
    public void What_selects_no_map_is_told(string words, string message)
    {
        CommandException error = Assert.Throws<CommandException>(() => SelectorWords.Take(Reader(words)));
        Assert.Equal(message, error.Message);
        Assert.Equal(ExitCode.Usage, error.ExitCode);
    }

    [Fact]
    public void Words_after_a_selector_are_asked_about()
    {
        WordReader words = Reader("id 1 more");
        SelectorWords.Take(words);
        Assert.Equal("what is 'more'?", Assert.Throws<CommandException>(words.ExpectEnd).Message);
    }

    private static WordReader Reader(string words) => new(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
