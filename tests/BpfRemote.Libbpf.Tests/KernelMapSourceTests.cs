using BpfRemote.DemoMaps;
using Xunit;

namespace BpfRemote.Libbpf.Tests;

public sealed class KernelMapSourceTests : IDisposable
{
    private readonly string _directory = $"/sys/fs/bpf/fence-{Environment.ProcessId}-{Guid.NewGuid():n}";
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Fact]
    public void A_map_is_described_as_it_was_made()
    {
        _ = Kernel.Source;
        using WritableMap written = WritableMap.Create(new()
        {
            Type = BpfMapType.Hash,
            Name = "fifteen_letters",
            KeySize = 12,
            ValueSize = 40,
            MaxEntries = 77,
            Flags = MapFlags.BPF_F_NO_PREALLOC,
        });
        written.Freeze();
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        MapInfo info = map.Info;

        Assert.Equal(
            new()
            {
                Id = written.Id,
                Type = BpfMapType.Hash,
                Name = "fifteen_letters",
                KeySize = 12,
                ValueSize = 40,
                MaxEntries = 77,
                Flags = MapFlags.BPF_F_NO_PREALLOC,
                Frozen = true,
                MemlockBytes = info.MemlockBytes,
            },
            info);
        Assert.True(info.MemlockBytes > 0);
    }

    [Fact]
    public void The_owner_of_a_prog_array_is_told()
    {
        _ = Kernel.Source;
        using WritableMap programs =
            WritableMap.Create(new() { Type = BpfMapType.ProgArray, KeySize = 4, ValueSize = 4, MaxEntries = 1 });
        using (IBpfMap unowned = Kernel.Source.OpenById(programs.Id))
        {
            Assert.Null(unowned.Info.OwnerProgType);
        }

        using ReturnZeroProgram program = ReturnZeroProgram.Load("fence_owner");
        programs.Update(Kernel.Key(0), program.Handle);
        using IBpfMap owned = Kernel.Source.OpenById(programs.Id);

        Assert.Equal(1u, owned.Info.OwnerProgType);
    }

    [Fact]
    public void Ids_rise_and_lead_to_every_map()
    {
        using WritableMap first = Kernel.Filled(BpfMapType.Hash, 1, 0);
        using WritableMap second = Kernel.Filled(BpfMapType.Hash, 1, 0);
        uint[] ids = [.. Kernel.Source.MapIds(0)];

        Assert.Contains(first.Id, ids);
        Assert.Contains(second.Id, ids);
        Assert.Equal(ids.Order().Distinct(), ids);
        Assert.Empty(Kernel.Source.MapIds(int.MaxValue - 1));
    }

    [Fact]
    public void A_map_that_is_not_there_is_ENOENT()
    {
        BpfException missing = Assert.Throws<BpfException>(() => Kernel.Source.OpenById(int.MaxValue));

        Assert.Equal(Errno.ENOENT, missing.Errno);
        Assert.Equal("bpf_map_get_fd_by_id_opts", missing.Operation);
    }

    [Fact]
    public void A_map_is_opened_for_reading_only_and_closed_again()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 1, 0);
        Assert.Equal([2], AccessModes($"map_id:\t{written.Id}"));
        using (IBpfMap map = Kernel.Source.OpenById(written.Id))
        {
            Assert.Equal([0, 2], AccessModes($"map_id:\t{written.Id}"));
        }

        Assert.Equal([2], AccessModes($"map_id:\t{written.Id}"));
    }

    [Fact]
    public void A_pinned_map_is_opened_for_reading_only()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 4, 4);
        string path = Pin(written, "map");
        using IBpfMap map = Kernel.Source.OpenPinned(path);

        Assert.Equal(written.Id, map.Info.Id);
        Assert.Equal(Errno.None, map.LookupElement(Kernel.Key(3), new byte[8]));
        Assert.Equal([0, 2], AccessModes($"map_id:\t{written.Id}"));
    }

    [Fact]
    public void What_is_not_a_pinned_map_is_EINVAL_and_leaves_nothing_open()
    {
        _ = Kernel.Source;
        Directory.CreateDirectory(_directory);
        using ReturnZeroProgram program = ReturnZeroProgram.Load("fence_pinned");
        string pinnedProgram = Path.Join(_directory, "prog");
        PinnedProgram.Pin(program, pinnedProgram);

        Assert.All(
            [pinnedProgram, _directory, "/etc/hostname", "/etc"],
            path => Assert.Equal(
                Errno.EINVAL, Assert.Throws<BpfException>(() => Kernel.Source.OpenPinned(path)).Errno));
        Assert.Single(AccessModes($"prog_id:\t{program.Id}"));
    }

    [Theory]
    [InlineData("/sys/fs/bpf/not-there", Errno.ENOENT)]
    [InlineData("/etc/hostname/x", Errno.ENOTDIR)]
    public void A_path_that_leads_nowhere_says_so(string path, Errno errno) =>
        Assert.Equal(errno, Assert.Throws<BpfException>(() => Kernel.Source.OpenPinned(path)).Errno);

    [Fact]
    public void A_relative_path_is_refused() => Assert.Throws<ArgumentException>(() => Kernel.Source.OpenPinned("sys/fs/bpf/x"));

    [Fact]
    public void Pins_are_found_in_every_directory_and_symbolic_links_are_not_followed()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 1, 0);
        string first = Pin(written, "a");
        string second = Pin(written, "deep/er/b");
        File.CreateSymbolicLink(Path.Join(_directory, "link"), first);
        Directory.CreateSymbolicLink(Path.Join(_directory, "root"), "/");
        using ReturnZeroProgram program = ReturnZeroProgram.Load("fence_pinned");
        PinnedProgram.Pin(program, Path.Join(_directory, "prog"));

        Assert.Equal([first, second], Kernel.Source.ReadPins(_cancellation).Of(written.Id));
    }

    [Fact]
    public void Programs_that_use_a_map_are_found()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 1, 0);
        using ReturnZeroProgram first = ReturnZeroProgram.Load("fence_one", written);
        using ReturnZeroProgram second = ReturnZeroProgram.Load("fence_two", written);
        using ReturnZeroProgram unrelated = ReturnZeroProgram.Load("fence_three");

        Assert.Equal(
            [new(first.Id, "fence_one", 1), new(second.Id, "fence_two", 1)],
            Kernel.Source.ReadPrograms(_cancellation).Of(written.Id));
    }

    [Fact]
    public void Processes_that_hold_a_map_are_found_once_each()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 1, 0);
        using IBpfMap secondDescriptor = Kernel.Source.OpenById(written.Id);

        MapOwners owners = ProcessWalk.ReadOwners(exceptPids: [], _cancellation);

        string comm = File.ReadAllText("/proc/self/comm").TrimEnd('\n');
        Assert.Equal([new((uint)Environment.ProcessId, comm)], owners.Of(written.Id));
        Assert.Equal(Directory.GetDirectories("/proc").Where(IsProcess).All(CanBeLookedInto), owners.Complete);

        static bool IsProcess(string path) => char.IsAsciiDigit(Path.GetFileName(path)[0]);

        static bool CanBeLookedInto(string process)
        {
            try
            {
                return Directory.GetFiles(Path.Join(process, "fdinfo")) is not null;
            }
            catch (UnauthorizedAccessException)
            {
                return false;
            }
            catch (IOException)
            {
                return true; // it ended meanwhile
            }
        }
    }

    [Fact]
    public void The_agent_is_no_owner_of_what_it_looks_at()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 1, 0);

        Assert.Empty(Kernel.Source.ReadOwners(_cancellation).Of(written.Id));
    }

    [Fact]
    public void Owners_are_incomplete_where_processes_may_not_be_looked_into()
    {
        _ = Kernel.Source;

        Assert.False(WithoutCapabilities.Run(() => Kernel.Source.ReadOwners(_cancellation)).Complete);
    }

    [Fact]
    public void Without_capabilities_pinned_maps_are_read_and_others_are_EPERM()
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Hash, 4, 4);
        string path = Pin(written, "map");

        BatchResult read = WithoutCapabilities.Run(() =>
        {
            using IBpfMap map = Kernel.Source.OpenPinned(path);
            return map.LookupBatch(new(4), new byte[16], new byte[32], 4);
        });

        Assert.Equal(new BatchResult(4, Errno.ENOENT), read);
        Assert.Equal(
            [Errno.EPERM, Errno.EPERM, Errno.EPERM],
            WithoutCapabilities.Run(() => new[]
            {
                Refusal(() => Kernel.Source.MapIds(0).First()),
                Refusal(() => Kernel.Source.OpenById(written.Id)),
                Refusal(() => Kernel.Source.ReadPrograms(_cancellation)),
            }));
        Assert.Equal([path], WithoutCapabilities.Run(() => Kernel.Source.ReadPins(_cancellation)).Of(written.Id));

        static Errno Refusal(Func<object?> read) => Assert.Throws<BpfException>(read).Errno;
    }

    private string Pin(WritableMap map, string name)
    {
        string path = Path.Join(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        map.Pin(path);
        return path;
    }

    /// <summary>The access modes (O_RDONLY 0, O_RDWR 2) of this process's descriptors of a map or program, ascending.</summary>
    private static IEnumerable<int> AccessModes(string idLine) =>
        from path in Directory.EnumerateFiles("/proc/self/fdinfo")
        let lines = Lines(path)
        where lines.Contains(idLine)
        let flags = lines.First(line => line.StartsWith("flags:", StringComparison.Ordinal))
        orderby flags
        select Convert.ToInt32(flags["flags:\t".Length..], 8) & 3;

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (IOException)
        {
            return []; // other tests close theirs meanwhile
        }
    }
}
