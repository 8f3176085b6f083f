using BpfRemote.Cli.Arguments;

namespace BpfRemote.Cli.Tests;

public sealed class KeyWordsTests
{
    [Theory]
    [InlineData("key 1 0 0 255", new byte[] { 1, 0, 0, 255 })]
    [InlineData("key 0x1f 0XFF 0x0", new byte[] { 0x1f, 0xff, 0 })]
    [InlineData("key 017 0377 00", new byte[] { 15, 255, 0 })]
    [InlineData("key hex 1 ff 0x0A 10", new byte[] { 1, 0xff, 10, 16 })]
    [InlineData("key hex 010", new byte[] { 16 })]
    [InlineData("k h 0a", new byte[] { 10 })]
    [InlineData("key", new byte[0])]
    public void Bytes_are_read_as_bpftool_reads_them(string words, byte[] expected) =>
        Assert.Equal(expected, KeyWords.Take(Reader(words)));

    [Fact]
    public void No_words_are_no_key() => Assert.Null(KeyWords.Take(Reader("")));

    [Theory]
    [InlineData("key 256", "byte out of range: 256 (a byte is 0 to 255, 0xff)")]
    [InlineData("key 99999999999999999999", "byte out of range: 99999999999999999999 (a byte is 0 to 255, 0xff)")]
    [InlineData("key 0x100", "byte out of range: 0x100 (a byte is 0 to 255, 0xff)")]
    [InlineData("key hex 100", "byte out of range: 100 (a byte is 0 to 255, 0xff)")]
    [InlineData("key 0400", "byte out of range: 0400 (a byte is 0 to 255, 0xff)")]
    [InlineData("key 08", "error parsing byte: '08' (a leading 0 means octal)")]
    [InlineData("key ff", "error parsing byte: 'ff' (for hexadecimal write 0xff, or 'hex' before the bytes)")]
    [InlineData("key 1 0x", "error parsing byte: '0x'")]
    [InlineData("key -1", "error parsing byte: '-1'")]
    [InlineData("key +1", "error parsing byte: '+1'")]
    [InlineData("key hex 0g", "error parsing byte: '0g'")]
    [InlineData("key 1 value", "error parsing byte: 'value'")]
    [InlineData("keys 1", "expected 'key', got: 'keys'")]
    [InlineData("1 2", "expected 'key', got: '1'")]
    public void What_is_no_key_is_told(string words, string message)
    {
        CommandException error = Assert.Throws<CommandException>(() => KeyWords.Take(Reader(words)));
        Assert.Equal(message, error.Message);
        Assert.Equal(ExitCode.Usage, error.ExitCode);
    }

    [Fact]
    public void An_empty_word_is_no_byte() =>
        Assert.Equal("error parsing byte: ''", Assert.Throws<CommandException>(() => KeyWords.Take(new(["key", ""]))).Message);

    [Theory]
    [InlineData(new byte[] { 1, 2 }, 2, null)]
    [InlineData(null, 0, null)]
    [InlineData(new byte[] { 1, 2, 3 }, 4, "key expected 4 bytes got 3")]
    [InlineData(new byte[] { 1, 2, 3, 4, 5 }, 4, "key expected 4 bytes got 5")]
    [InlineData(new byte[0], 4, "key expected 4 bytes got 0")]
    [InlineData(null, 4, "did not find key")]
    [InlineData(new byte[] { 1 }, 0, "unnecessary key")]
    public void A_key_must_have_the_size_of_the_maps(byte[]? key, uint keySize, string? message)
    {
        if (message is null)
        {
            Assert.Equal(key ?? [], KeyWords.Fit(key, keySize));
        }
        else
        {
            Assert.Equal(message, Assert.Throws<CommandException>(() => KeyWords.Fit(key, keySize)).Message);
        }
    }

    private static WordReader Reader(string words) => new(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
