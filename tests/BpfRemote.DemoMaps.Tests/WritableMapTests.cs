using System.Net;
using System.Net.Sockets;
using BpfRemote.Libbpf;

namespace BpfRemote.DemoMaps.Tests;

public sealed class WritableMapTests
{
    public WritableMapTests() => Bpftool.Require();

    [Fact]
    public void What_is_written_is_there_until_it_is_deleted()
    {
        using WritableMap map = Create(BpfMapType.Hash, keySize: 3, valueSize: 5);

        map.Update([1, 2, 3], [1, 2, 3, 4, 5]);
        map.UpdateBatch([4, 5, 6, 7, 8, 9], [6, 6, 6, 6, 6, 7, 7, 7, 7, 7], count: 2);

        Assert.Equal([1, 2, 3, 4, 5], map.Lookup([1, 2, 3])!);
        Assert.Equal([7, 7, 7, 7, 7], map.Lookup([7, 8, 9])!);
        Assert.True(map.Delete([1, 2, 3]));
        Assert.False(map.Delete([1, 2, 3]));
        map.DeleteBatch([4, 5, 6], count: 1);
        Assert.Null(map.Lookup([4, 5, 6]));
        Assert.NotNull(map.Lookup([7, 8, 9]));
    }

    [Theory]
    [InlineData(BpfMapType.PerCpuHash)]
    [InlineData(BpfMapType.LruPerCpuHash)]
    [InlineData(BpfMapType.PerCpuArray)]
    public void A_per_cpu_value_has_a_block_of_whole_words_for_each_possible_cpu(BpfMapType type)
    {
        using WritableMap map = Create(type, keySize: 4, valueSize: 5);

        Assert.Equal(8 * WritableMap.PossibleCpus, map.ValueStride);
        byte[] value = new byte[map.ValueStride];
        value.AsSpan().Fill(0xab);
        map.Update([1, 0, 0, 0], value);

        Assert.Equal(value.AsSpan(0, 5), map.Lookup([1, 0, 0, 0]).AsSpan(0, 5));
    }

    [Fact]
    public void Maps_programs_and_sockets_go_in_by_their_handles()
    {
        using WritableMap inner = Create(BpfMapType.Array, keySize: 4, valueSize: 4);
        using WritableMap outer = WritableMap.Create(
            new() { Type = BpfMapType.HashOfMaps, Name = "dm_outer", KeySize = 4, ValueSize = 4, MaxEntries = 4, InnerMap = inner });
        using WritableMap programs = Create(BpfMapType.ProgArray, keySize: 4, valueSize: 4);
        using WritableMap sockets = Create(BpfMapType.SockHash, keySize: 4, valueSize: 8);
        using ReturnZeroProgram program = ReturnZeroProgram.Load("dm_program", uses: inner);
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();

        outer.Update([7, 0, 0, 0], inner.Handle);
        programs.Update([1, 0, 0, 0], program.Handle);
        sockets.Update([2, 0, 0, 0], listener.SafeHandle);

        Assert.Equal(inner.Id, BitConverter.ToUInt32(outer.Lookup([7, 0, 0, 0])));
        Assert.Equal(program.Id, BitConverter.ToUInt32(programs.Lookup([1, 0, 0, 0])));
        Assert.NotEqual(0ul, BitConverter.ToUInt64(sockets.Lookup([2, 0, 0, 0])));
        Assert.Equal(
            [inner.Id],
            Bpftool.Run("prog", "show", "id", $"{program.Id}").GetProperty("map_ids").EnumerateArray().Select(id => id.GetUInt32()));
    }

    [Fact]
    public void A_queue_takes_values_without_keys()
    {
        using WritableMap queue = Create(BpfMapType.Queue, keySize: 0, valueSize: 2);

        queue.Push([1, 2]);
        queue.Push([3, 4]);

        Assert.Equal([1, 2], queue.Lookup([])!);
    }

    [Fact]
    public void A_frozen_map_takes_no_more_writes()
    {
        using WritableMap map = Create(BpfMapType.Array, keySize: 4, valueSize: 1);
        map.Freeze();

        BpfException refused = Assert.Throws<BpfException>(() => map.Update([0, 0, 0, 0], [1]));

        Assert.Equal(Errno.EPERM, refused.Errno);
    }

    [Fact]
    public void Bytes_that_do_not_fit_the_map_never_reach_the_kernel()
    {
        using WritableMap map = Create(BpfMapType.Hash, keySize: 4, valueSize: 4);

        Assert.Throws<ArgumentException>(() => map.Update([1, 2, 3], [1, 2, 3, 4]));
        Assert.Throws<ArgumentException>(() => map.Update([1, 2, 3, 4], [1, 2, 3]));
        Assert.Throws<ArgumentException>(() => map.UpdateBatch([1, 2, 3, 4], [1, 2, 3, 4], count: 2));
        Assert.Throws<ArgumentException>(() => map.Lookup([]));
        Assert.Throws<ArgumentException>(() => map.Delete([1]));
    }

    private static WritableMap Create(BpfMapType type, uint keySize, uint valueSize) =>
        WritableMap.Create(new() { Type = type, Name = "dm_test", KeySize = keySize, ValueSize = valueSize, MaxEntries = 16 });
}
