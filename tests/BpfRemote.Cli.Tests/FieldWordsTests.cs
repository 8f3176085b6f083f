using BpfRemote.Cli.Arguments;
using BpfRemote.V1;

namespace BpfRemote.Cli.Tests;

public sealed class FieldWordsTests
{
    private static readonly Map Map = new() { Id = 7, KeySize = 8 };

    [Fact]
    public void Fields_make_a_key_and_padding_is_no_matter() => Assert.Equal(
        [10, 0, 0, 1, 1, 0xbb, 0, 0],
        FieldWords.Encode(FieldWords.TryTake(Reader("key dport=443 saddr=10.0.0.1"))!, Map, Typed.Schema(), rawValues: false));

    [Fact]
    public void Raw_values_are_plain_numbers() => Assert.Equal(
        [10, 0, 0, 1, 1, 0xbb, 0, 0],
        FieldWords.Encode(FieldWords.TryTake(Reader("key saddr=16777226 dport=47873"))!, Map, Typed.Schema(), rawValues: true));

    [Theory]
    [InlineData("key 1 2 3 4")]
    [InlineData("key hex 01")]
    [InlineData("")]
    public void Bytes_are_left_to_others(string words)
    {
        WordReader reader = Reader(words);
        Assert.Null(FieldWords.TryTake(reader));
        Assert.Equal(words, string.Join(' ', reader.TakeAll()));
    }

    [Theory]
    [InlineData("saddr=1", "expected 'key', got: 'saddr=1'")]
    [InlineData("key saddr=10.0.0.1 443", "expected FIELD=VALUE, got: '443'")]
    public void Words_that_are_no_fields_are_refused(string words, string message)
    {
        CommandException error = Assert.Throws<CommandException>(() => FieldWords.TryTake(Reader(words)));
        Assert.Equal(message, error.Message);
        Assert.Equal(ExitCode.Usage, error.ExitCode);
    }

    [Theory]
    [InlineData("key saddr=10.0.0.1", "a key has also dport: give a value for each")]
    [InlineData("key saddr=10.0.0.1 dport=70000", "dport")]
    [InlineData("key saddr=10.0.0.1 port=7", "dport")]
    public void Keys_that_are_none_are_refused(string words, string part)
    {
        CommandException error = Assert.Throws<CommandException>(
            () => FieldWords.Encode(FieldWords.TryTake(Reader(words))!, Map, Typed.Schema(), rawValues: false));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, error.ExitCode);
    }

    [Fact]
    public void Fields_need_types()
    {
        CommandException error = Assert.Throws<CommandException>(() => FieldWords.Encode([("a", "1")], Map, schema: null, rawValues: false));
        Assert.Equal("the fields of map 7's keys are not known: give the key as 8 bytes, or their type with --btf", error.Message);
    }

    private static WordReader Reader(string words) => new(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
