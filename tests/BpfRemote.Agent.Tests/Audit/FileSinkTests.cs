using System.Text;
using BpfRemote.Agent.Audit;
using Xunit;

namespace BpfRemote.Agent.Tests.Audit;

public sealed class FileSinkTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-audit-");

    private string LogPath => Path.Combine(_directory.FullName, "audit.log");

    [Fact]
    public void Lines_are_appended_and_there_before_the_write_returns()
    {
        File.WriteAllText(LogPath, "before\n");
        using FileSink sink = new(LogPath);
        string large = new('x', 10_000);

        sink.Write("one"u8);
        Assert.Equal("before\none\n", File.ReadAllText(LogPath));
        sink.Write(Encoding.ASCII.GetBytes(large));
        Assert.Equal($"before\none\n{large}\n", File.ReadAllText(LogPath));
    }

    [Fact]
    public void A_new_file_is_for_its_owner_and_group()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such modes");
            return;
        }

        using FileSink sink = new(LogPath);
        sink.Write("one"u8);

        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(LogPath) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead));
    }

    [Fact]
    public async Task Lines_of_many_callers_stay_whole()
    {
        using FileSink sink = new(LogPath);
        string[] lines = [.. Enumerable.Range(0, 200).Select(i => new string((char)('a' + (i % 26)), 1 + (i * 37 % 6_000)))];

        await Parallel.ForEachAsync(lines, TestContext.Current.CancellationToken, (line, _) =>
        {
            sink.Write(Encoding.ASCII.GetBytes(line));
            return ValueTask.CompletedTask;
        });

        Assert.Equal(
            lines.Order(StringComparer.Ordinal),
            (await File.ReadAllLinesAsync(LogPath, TestContext.Current.CancellationToken)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void After_a_rotation_lines_go_to_the_new_file_once_it_is_reopened()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "an open file cannot be moved away");
        string rotated = LogPath + ".1";
        using FileSink sink = new(LogPath);
        sink.Write("one"u8);
        File.Move(LogPath, rotated);
        sink.Write("two"u8);
        sink.Reopen();
        sink.Write("three"u8);

        Assert.Equal("one\ntwo\n", File.ReadAllText(rotated));
        Assert.Equal("three\n", File.ReadAllText(LogPath));
    }

    [Fact]
    public void A_line_that_cannot_be_written_says_so_and_the_next_one_tries_again()
    {
        string gone = Path.Combine(_directory.FullName, "gone", "audit.log");
        using FileSink sink = new(gone);
        Assert.ThrowsAny<IOException>(() => sink.Write("one"u8));
        Assert.ThrowsAny<IOException>(sink.Reopen);

        Directory.CreateDirectory(Path.GetDirectoryName(gone)!);
        sink.Write("two"u8);
        Assert.Equal("two\n", File.ReadAllText(gone));
    }

    [Fact]
    public void A_full_device_says_so_at_the_line_itself()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "there is no /dev/full");
        using FileSink sink = new("/dev/full");

        Assert.ThrowsAny<IOException>(() => sink.Write("one"u8));
        Assert.ThrowsAny<IOException>(() => sink.Write("two"u8));
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
