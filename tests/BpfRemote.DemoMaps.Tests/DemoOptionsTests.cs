namespace BpfRemote.DemoMaps.Tests;

public sealed class DemoOptionsTests
{
    [Fact]
    public void Options_come_in_any_order()
    {
        DemoOptions options = DemoOptions.Parse(["--still", "--pin-dir", "/sys/fs/bpf/here/", "--entries", "7"]);

        Assert.True(options.Still);
        Assert.Equal("/sys/fs/bpf/here", options.PinDirectory);
        Assert.Equal(7, options.Entries);
    }

    [Fact]
    public void Nothing_said_means_a_thousand_moving_connections()
    {
        DemoOptions options = DemoOptions.Parse([]);

        Assert.Equal((1000, "/sys/fs/bpf/bpfremote-demo", false), (options.Entries, options.PinDirectory, options.Still));
    }

    [Theory]
    [InlineData("--entries needs a value", "--entries")]
    [InlineData("--entries 0: a number from 1 to 1000000 is needed", "--entries", "0")]
    [InlineData("--entries -1: a number from 1 to 1000000 is needed", "--entries", "-1")]
    [InlineData("--entries 1000001: a number from 1 to 1000000 is needed", "--entries", "1000001")]
    [InlineData("--pin-dir here: an absolute path is needed", "--pin-dir", "here")]
    [InlineData("'--entires' is not an option", "--still", "--entires", "4")]
    public void A_mistake_is_named(string mistake, params string[] arguments) =>
        Assert.Equal(mistake, Assert.Throws<FormatException>(() => DemoOptions.Parse(arguments)).Message);
}
