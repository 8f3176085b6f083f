using System.Text;
using BpfRemote.Agent.Files;
using BpfRemote.Agent.Tests.Harness;
using Microsoft.Extensions.Logging;
using Xunit;

namespace BpfRemote.Agent.Tests.Files;

public sealed class ReloadedFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-files-");
    private readonly CollectedLog _log = new();

    private string FilePath => Path.Combine(_directory.FullName, "file");

    [Fact]
    public void A_change_is_taken_over_and_said_once()
    {
        ReloadedFile<string> file = Load("one");
        file.Refresh();
        Assert.Empty(_log.Lines);

        Write("two");
        Assert.Equal("one", file.Current);
        file.Refresh();
        file.Refresh();

        Assert.Equal("two", file.Current);
        Assert.Equal(LogLevel.Information, Assert.Single(_log.Lines).Level);
    }

    [Fact]
    public void A_file_that_is_touched_and_says_the_same_is_not_read_anew()
    {
        int parsed = 0;
        Write("one");
        ReloadedFile<string> file = new([FilePath], _ => $"{++parsed}", _log);
        Write("one");
        file.Refresh();

        Assert.Equal((1, "1"), (parsed, file.Current));
    }

    [Fact]
    public void What_cannot_be_used_leaves_the_last_good_one_in_force_and_is_said_once_with_the_reason()
    {
        ReloadedFile<string> file = Load("one");
        Write("bad");
        file.Refresh();
        file.Refresh();

        Assert.Equal("one", file.Current);
        (LogLevel level, string message) = Assert.Single(_log.Lines);
        Assert.Equal(LogLevel.Error, level);
        Assert.Contains("it is bad", message, StringComparison.Ordinal);
        Assert.Contains(FilePath, message, StringComparison.Ordinal);

        Write("two");
        file.Refresh();
        Assert.Equal("two", file.Current);
    }

    [Fact]
    public void A_file_that_goes_and_comes_back_as_it_was_is_in_force_again()
    {
        ReloadedFile<string> file = Load("one");
        File.Delete(FilePath);
        file.Refresh();
        file.Refresh();
        Assert.Equal("one", file.Current);
        Assert.Equal(LogLevel.Error, Assert.Single(_log.Lines).Level);

        Write("one");
        file.Refresh();
        Assert.Equal("one", file.Current);
        Assert.Equal([LogLevel.Error, LogLevel.Information], _log.Lines.Select(line => line.Level));
    }

    [Fact]
    public void Several_files_are_one_value_and_are_told_apart()
    {
        string other = Path.Combine(_directory.FullName, "other");
        Write("ab");
        File.WriteAllText(other, "c");
        ReloadedFile<string> files = new([FilePath, other], contents => string.Join('|', contents.Select(Encoding.UTF8.GetString)), _log);
        Assert.Equal("ab|c", files.Current);

        // The same bytes, cut elsewhere.
        Write("a");
        File.WriteAllText(other, "bc");
        files.Refresh();
        Assert.Equal("a|bc", files.Current);
    }

    [Fact]
    public void At_the_start_a_mistake_is_the_callers() => Assert.Throws<FormatException>(() => Load("bad"));

    public void Dispose()
    {
        _log.Dispose();
        _directory.Delete(recursive: true);
    }

    private ReloadedFile<string> Load(string content)
    {
        Write(content);
        return new([FilePath], Parse, _log);
    }

    private void Write(string content) => File.WriteAllText(FilePath, content);

    private static string Parse(byte[][] contents) => Encoding.UTF8.GetString(contents[0]) is var text && text != "bad"
        ? text
        : throw new FormatException("it is bad");
}
