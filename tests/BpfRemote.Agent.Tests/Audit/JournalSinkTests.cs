using System.Net.Sockets;
using System.Text;
using BpfRemote.Agent.Audit;
using Xunit;

namespace BpfRemote.Agent.Tests.Audit;

public sealed class JournalSinkTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-journal-");

    public JournalSinkTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no datagrams over unix sockets");

    private string SocketPath => Path.Combine(_directory.FullName, "socket");

    [Fact]
    public void A_line_is_one_entry_of_the_journal()
    {
        using Socket journal = Listen();
        using JournalSink sink = new(SocketPath);

        sink.Write("""{"event":"admitted"}"""u8);

        Assert.Equal(
            ["SYSLOG_IDENTIFIER=bpfremote-audit", "SYSLOG_FACILITY=13", "PRIORITY=6", """MESSAGE={"event":"admitted"}""", ""],
            Receive(journal).Split('\n'));
    }

    [Fact]
    public void Without_a_journal_the_line_fails_and_the_next_one_finds_it()
    {
        using JournalSink sink = new(SocketPath);
        Assert.Throws<IOException>(() => sink.Write("one"u8));

        using Socket journal = Listen();
        sink.Write("two"u8);
        Assert.EndsWith("MESSAGE=two\n", Receive(journal), StringComparison.Ordinal);
    }

    [Fact]
    public void A_journal_that_is_started_anew_is_found_again()
    {
        using JournalSink sink = new(SocketPath);
        using (Listen())
        {
            sink.Write("one"u8);
        }

        Assert.Throws<IOException>(() => sink.Write("two"u8));
        File.Delete(SocketPath);
        using Socket journal = Listen();
        sink.Write("three"u8);
        Assert.EndsWith("MESSAGE=three\n", Receive(journal), StringComparison.Ordinal);
    }

    [Fact]
    public void A_journal_that_does_not_keep_up_fails_the_line_and_holds_nobody_up()
    {
        using Socket journal = Listen();
        using JournalSink sink = new(SocketPath);
        byte[] line = new byte[1_000];

        Assert.Throws<IOException>(() =>
        {
            for (int i = 0; i < 100_000; i++)
            {
                sink.Write(line);
            }
        });
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private Socket Listen()
    {
        Socket journal = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        journal.Bind(new UnixDomainSocketEndPoint(SocketPath));
        return journal;
    }

    private static string Receive(Socket journal)
    {
        byte[] entry = new byte[4_096];
        return Encoding.UTF8.GetString(entry, 0, journal.Receive(entry));
    }
}
