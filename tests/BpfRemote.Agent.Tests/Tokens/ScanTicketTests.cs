using BpfRemote.Agent.Tokens;
using BpfRemote.Libbpf;
using Xunit;

namespace BpfRemote.Agent.Tests.Tokens;

public sealed class ScanTicketTests
{
    private static readonly MapInfo SomeMap = new() { Id = 7, Type = BpfMapType.Hash, Name = "conns", KeySize = 4, ValueSize = 8, MaxEntries = 100 };

    public static TheoryData<string?> Pins => new((string?)null, "/sys/fs/bpf/conns", "/sys/fs/bpf/" + new string('é', 900));

    [Theory]
    [MemberData(nameof(Pins))]
    public void What_was_written_is_read_again(string? pin)
    {
        ScanTicket ticket = Ticket(pin, positionSize: 4);

        ScanTicket read = Assert.NotNull(ScanTicket.Read(Write(ticket)));

        Assert.Equal(ticket with { Position = default, Pin = read.Pin }, read with { Position = default });
        Assert.Equal(ticket.Position.ToArray(), read.Position.ToArray());
        Assert.Equal(pin is not null, read.Pin.RefersTo(pin ?? "/"));
        Assert.False(read.Pin.RefersTo("/sys/fs/bpf/other"));
    }

    [Fact]
    public void A_path_that_does_not_fit_is_remembered_by_its_digest()
    {
        string path = "/" + new string('x', 4_000);

        ScanTicket read = Assert.NotNull(ScanTicket.Read(Write(Ticket(path, ScanTicket.MaxPosition))));

        Assert.Null(read.Pin.Path);
        Assert.True(read.Pin.RefersTo(path));
    }

    [Fact]
    public void The_largest_ticket_fits_a_token() =>
        Assert.Equal(TokenSealer.MaxPayload, Write(Ticket("/" + new string('x', 4_000), ScanTicket.MaxPosition)).Length);

    [Fact]
    public void A_ticket_cut_short_is_none()
    {
        byte[] whole = Write(Ticket(pin: null, positionSize: 4));

        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Null(ScanTicket.Read(whole.AsSpan(0, length)));
        }
    }

    [Fact]
    public void Maps_that_differ_have_different_shapes()
    {
        MapInfo[] maps =
        [
            SomeMap,
            SomeMap with { Type = BpfMapType.LruHash },
            SomeMap with { Name = "conn" },
            SomeMap with { KeySize = 8 },
            SomeMap with { ValueSize = 4 },
            SomeMap with { MaxEntries = 101 },
            SomeMap with { Flags = 1 },
            SomeMap with { BtfId = 1 },
            SomeMap with { BtfKeyTypeId = 1 },
            SomeMap with { BtfValueTypeId = 1 },
        ];

        Assert.Equal(maps.Length, maps.Select(ScanTicket.ShapeOf).Distinct().Count());
        Assert.Equal(ScanTicket.ShapeOf(SomeMap), ScanTicket.ShapeOf(SomeMap with { Frozen = true, MemlockBytes = 1 }));
    }

    private static ScanTicket Ticket(string? pin, int positionSize) => new()
    {
        BootId = Guid.NewGuid(),
        ScanId = 0x0123_4567_89ab_cdef,
        MapId = 7,
        Shape = ScanTicket.ShapeOf(SomeMap),
        Method = ScanMethod.Trie,
        Restarts = 3,
        Entries = 1UL << 40,
        Position = Enumerable.Range(0, positionSize).Select(i => (byte)i).ToArray(),
        Pin = pin is null ? PinReference.None : PinReference.To(pin),
    };

    private static byte[] Write(ScanTicket ticket)
    {
        byte[] bytes = new byte[TokenSealer.MaxPayload];
        return bytes[..ticket.Write(bytes)];
    }
}
