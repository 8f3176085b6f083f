using System.CommandLine;

namespace BpfRemote.Cli.Tests;

public sealed class AbbreviationsTests
{
    [Theory]
    [InlineData("m l", "map show")]
    [InlineData("map list", "map list")]
    [InlineData("m s id 1", "map show id 1")]
    [InlineData("m l name l", "map show name l")]
    [InlineData("-j m d id 1", "-j map dump id 1")]
    [InlineData("--address m m d", "--address m map dump")]
    [InlineData("n", "node")]
    [InlineData("x l", "x l")]
    [InlineData("m x", "map x")]
    public void Only_commands_are_written_out(string words, string expected)
    {
        Command show = new("show");
        show.Aliases.Add("list");
        RootCommand root = new()
        {
            new Command("map") { show, new Command("dump"), new Command("lookup") },
            new Command("node"),
            new Option<string>("--address"),
            new Option<bool>("-j"),
        };
        Assert.Equal(expected, string.Join(' ', Abbreviations.Expand(root, words.Split(' '))));
    }
}
