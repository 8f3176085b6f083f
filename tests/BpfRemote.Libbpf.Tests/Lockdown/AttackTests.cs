using BpfRemote.DemoMaps;
using BpfRemote.Libbpf.Lockdown;
using Xunit;

namespace BpfRemote.Libbpf.Tests.Lockdown;

/// <summary>Attacks from inside a process that was taken over.</summary>
public sealed class AttackTests
{
    private const Duties Server = Duties.ReadMaps | Duties.Serve;
    private const Duties Broker = Duties.OpenPins | Duties.OpenIds;

    private static readonly string[] Threads = ["before", "main", "after"];

    /// <summary>Everything that each process is left of what the probe tries, by number for bpf(2).</summary>
    public static TheoryData<Duties, string[]> Left => new()
    {
        // LOOKUP_ELEM, GET_NEXT_KEY, OBJ_GET_INFO_BY_FD, LOOKUP_BATCH: no map by id, none by its pin.
        { Server, ["bpf 1", "bpf 4", "bpf 15", "bpf 24", "socket unix", "socket inet", "socket inet6"] },

        // OBJ_GET, the ids of programs and maps, OBJ_GET_INFO_BY_FD, BTF: no look into a map, no socket.
        { Broker, ["bpf 7", "bpf 11", "bpf 12", "bpf 13", "bpf 14", "bpf 15", "bpf 19"] },

        // OBJ_GET, OBJ_GET_INFO_BY_FD.
        { Duties.OpenPins, ["bpf 7", "bpf 15"] },
    };

    [Theory]
    [MemberData(nameof(Left))]
    public async Task A_process_is_left_its_duties_and_nothing_else_on_every_thread(Duties duties, string[] left)
    {
        Dictionary<string, Errno> results = await Probe.RunAsync(duties);

        IEnumerable<string> expected =
            from thread in Threads
            from attack in left.SelectMany(attack => attack.StartsWith("bpf", StringComparison.Ordinal) ? [attack, $"{attack} high"] : (string[])[attack])
            select $"{thread} {attack}";
        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            results.Where(result => result.Value is not (Errno.EPERM or Errno.ENOSYS)).Select(result => result.Key).Order(StringComparer.Ordinal));
        Assert.Equal(
            Threads.Select(thread => $"{thread} clone3").Order(StringComparer.Ordinal),
            results.Where(result => result.Value == Errno.ENOSYS).Select(result => result.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Without_the_lockdown_no_attack_is_refused()
    {
        Dictionary<string, Errno> results = await Probe.RunAsync(null);

        Assert.True(results.Count > 300, $"{results.Count} results");
        Assert.DoesNotContain(Errno.EPERM, results.Values);
    }

    [Theory]
    [InlineData(Server, Errno.EPERM)]
    [InlineData(Duties.ReadMaps | Duties.OpenPins | Duties.OpenIds | Duties.Serve, Errno.EPERM)]
    [InlineData(null, Errno.None)]
    public async Task A_map_open_for_reading_is_read_and_cannot_be_pinned_for_writing(Duties? duties, Errno repinned)
    {
        using WritableMap written = Kernel.Filled(BpfMapType.Array, 1, 1);
        string directory = $"/sys/fs/bpf/lockdown-{Guid.NewGuid():n}";
        Directory.CreateDirectory(directory);
        try
        {
            written.Pin($"{directory}/map");

            Dictionary<string, Errno> results = await Probe.RunAsync(duties, $"{directory}/map", $"{directory}/again");

            Assert.Equal(Errno.None, results["read"]);
            Assert.Equal(repinned, results["before repin"]);
            Assert.Equal(repinned == Errno.None, File.Exists($"{directory}/again"));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
