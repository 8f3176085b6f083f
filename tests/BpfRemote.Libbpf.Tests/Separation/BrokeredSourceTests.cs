using BpfRemote.DemoMaps;
using Xunit;

namespace BpfRemote.Libbpf.Tests.Separation;

/// <summary>A source whose maps a broker opens, over the real socket, is as good as one that opens them itself.</summary>
public sealed class BrokeredSourceTests : IDisposable
{
    private readonly string _directory = $"/sys/fs/bpf/broker-{Guid.NewGuid():n}";
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Fact]
    public void Maps_are_listed_opened_and_read()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 4, 4);
        using RunningBroker broker = new(MapAccess.Enumerate);

        Assert.Contains(written.Id, broker.Source.MapIds(0));
        using IBpfMap map = broker.Source.OpenById(written.Id);
        using IBpfMap direct = Kernel.Source.OpenById(written.Id);
        Assert.Equal(direct.Info, map.Info);
        Assert.Equal(new(4, Errno.ENOENT), map.LookupBatch(new(4), new byte[16], new byte[32], 4));
    }

    [Fact]
    public void Walks_find_what_they_find_without_a_broker()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 1, 0);
        using ReturnZeroProgram program = ReturnZeroProgram.Load("broker_user", written);
        Directory.CreateDirectory(_directory);
        string longest = $"{_directory}/{new string('x', 255)}";
        written.Pin($"{_directory}/a");
        written.Pin(longest);
        using RunningBroker broker = new(MapAccess.Enumerate);

        Assert.Equal([$"{_directory}/a", longest], broker.Source.ReadPins(_cancellation).Of(written.Id));
        Assert.Equal([new(program.Id, "broker_user", 1)], broker.Source.ReadPrograms(_cancellation).Of(written.Id));
        MapOwners owners = broker.Source.ReadOwners(_cancellation);
        Assert.Equal(Kernel.Source.ReadOwners(_cancellation).Complete, owners.Complete);
        Assert.Empty(owners.Of(written.Id)); // the broker and its server own nothing, and here both are this process
    }

    [Fact]
    public void Btf_is_the_kernels_own()
    {
        using RunningBroker broker = new(MapAccess.Enumerate);

        using BtfBytes btf = broker.Source.ReadBtf(1);

        Assert.Equal(File.ReadAllBytes("/sys/kernel/btf/vmlinux"), btf.Memory.ToArray());
    }

    [Fact]
    public void Errors_are_as_without_a_broker()
    {
        using RunningBroker broker = new(MapAccess.Enumerate);

        Assert.All<(Func<IMapSource, IDisposable> Open, Errno Errno)>(
            [
                (source => source.OpenById(int.MaxValue), Errno.ENOENT),
                (source => source.ReadBtf(int.MaxValue), Errno.ENOENT),
                (source => source.OpenPinned("/sys/fs/bpf/not-there"), Errno.ENOENT),
                (source => source.OpenPinned("/etc"), Errno.EINVAL),
                (source => source.OpenPinned($"/{new string('x', 5000)}"), Errno.ENAMETOOLONG),
            ],
            attempt =>
            {
                Assert.Equal(attempt.Errno, Assert.Throws<BpfException>(() => attempt.Open(broker.Source)).Errno);
                Assert.Equal(attempt.Errno, Assert.Throws<BpfException>(() => attempt.Open(Kernel.Source)).Errno);
            });
    }

    [Fact]
    public void In_mode_pins_there_are_the_pinned_maps_and_no_others()
    {
        using WritableMap pinned = Kernel.Filled(BpfMapType.Hash, 4, 4);
        using WritableMap unpinned = Kernel.Filled(BpfMapType.Hash, 1, 0);
        Directory.CreateDirectory(_directory);
        pinned.Pin($"{_directory}/map");
        using RunningBroker broker = new(MapAccess.Pins);

        Assert.Contains(pinned.Id, broker.Source.MapIds(0));
        Assert.DoesNotContain(pinned.Id, broker.Source.MapIds(pinned.Id));
        Assert.DoesNotContain(unpinned.Id, broker.Source.MapIds(0));
        using (IBpfMap map = broker.Source.OpenById(pinned.Id))
        {
            Assert.Equal(pinned.Id, map.Info.Id);
        }

        Assert.Equal(Errno.ENOENT, Assert.Throws<BpfException>(() => broker.Source.OpenById(unpinned.Id)).Errno);
        Assert.Equal(Errno.EPERM, Assert.Throws<BpfException>(() => broker.Source.ReadBtf(1)).Errno);
        Assert.Empty(broker.Source.ReadPrograms(_cancellation).ByMapId);
    }

    [Fact]
    public void In_mode_pins_a_pin_is_known_at_once_and_forgotten_when_it_leads_elsewhere()
    {
        using WritableMap first = Kernel.Filled(BpfMapType.Hash, 1, 0);
        using WritableMap second = Kernel.Filled(BpfMapType.Hash, 1, 0);
        using RunningBroker broker = new(MapAccess.Pins);
        Directory.CreateDirectory(_directory);
        first.Pin($"{_directory}/map");
        broker.Source.OpenById(first.Id).Dispose();
        File.Delete($"{_directory}/map");
        second.Pin($"{_directory}/map");

        Assert.Equal(Errno.ENOENT, Assert.Throws<BpfException>(() => broker.Source.OpenById(first.Id)).Errno);
        broker.Source.OpenById(second.Id).Dispose();
    }

    [Fact]
    public void Without_its_broker_a_source_fails_and_hears_of_it()
    {
        RunningBroker broker = new(MapAccess.Enumerate);
        broker.HangUp();

        broker.Connection.WaitForHangUp();
        Assert.True(Assert.Throws<BpfException>(() => broker.Source.OpenById(1)).Errno is Errno.EPIPE or Errno.ECONNRESET);
        Assert.True(Assert.Throws<BpfException>(() => broker.Source.ReadPins(_cancellation)).Errno is Errno.EPIPE or Errno.ECONNRESET);
        broker.Dispose();
    }
}
