namespace BpfRemote.Cli.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("map dump", "expected a map: 'id N', 'name NAME' or 'pinned PATH'")]
    [InlineData("map dump id 1 2", "what is '2'?")]
    [InlineData("map dump --limt 1", "expected 'id', 'name' or 'pinned', got: '--limt'?")]
    [InlineData("map dump id 1 --limit", "Required argument missing for option: '--limit'.")]
    [InlineData("map dump id 1 --limit 0", "--limit is a number from 1 to 18446744073709551615, got: '0'")]
    [InlineData("map dump id 1 --batch-size 4294967296", "--batch-size is a number from 1 to 4294967295, got: '4294967296'")]
    [InlineData("map dump id 1 --pace fast", "--pace is one of gentle, full, got: 'fast'")]
    [InlineData("map list -o xml", "--output is one of table, json, ndjson, csv, raw, got: 'xml'")]
    [InlineData("map list -o csv", "-o csv and -o raw are for entries: map dump and map lookup")]
    [InlineData("map lookup id 1 value 1", "expected 'key', got: 'value'")]
    [InlineData("map burn", "Unrecognized command or argument 'burn'.")]
    [InlineData("burn", "Unrecognized command or argument 'burn'.")]
    public async Task A_wrong_command_line_is_told_and_ends_with_2(string commandLine, string message)
    {
        Run run = await Run.Async(commandLine);
        Assert.Equal((ExitCode.Usage, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"Error: {message}", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-j map dump", "{\"error\":\"expected a map: 'id N', 'name NAME' or 'pinned PATH'\"}\n")]
    [InlineData("map dump -p", "{\n    \"error\": \"expected a map: 'id N', 'name NAME' or 'pinned PATH'\"\n}\n")]
    [InlineData("map dump -o json", "{\"error\":\"expected a map: 'id N', 'name NAME' or 'pinned PATH'\"}\n")]
    [InlineData("-j -o raw map dump id 1", "{\"error\":\"-o raw contradicts -j and -p, which ask for JSON\"}\n")]
    [InlineData("-j map dump id 1 --pace x", "{\"error\":\"--pace is one of gentle, full, got: 'x'\"}\n")]
    public async Task Errors_are_json_objects_where_json_is_asked_for(string commandLine, string output)
    {
        Run run = await Run.Async(commandLine);
        Assert.Equal(new(ExitCode.Usage, output, ""), run);
    }

    [Theory]
    [InlineData("map dump --help")]
    [InlineData("map lookup -h")]
    [InlineData("map show --help")]
    [InlineData("map count --help")]
    [InlineData("node show --help")]
    public async Task Help_shows_examples(string commandLine)
    {
        Run run = await Run.Async(commandLine);
        Assert.Equal(ExitCode.Done, run.ExitCode);
        Assert.Contains("\nExamples:\n  bpfremote ", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense", "Cannot use the address 'nonsense'")]
    [InlineData("http://127.0.0.1:1", "Cannot use the address 'http://127.0.0.1:1'")]
    public async Task An_address_that_no_agent_can_have_is_a_usage_error(string address, string message)
    {
        Run run = await Run.Async($"--address {address} map list");
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unreachable_agent_is_told_with_its_address()
    {
        Run run = await Run.Async("--address unix:///nonexistent/agent.sock map list");
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Assert.Contains("unix:///nonexistent/agent.sock", run.Error, StringComparison.Ordinal);
    }
}
