using System.Net;
using System.Net.Sockets;
using BpfRemote.DemoMaps;
using Xunit;

namespace BpfRemote.Libbpf.Tests;

public sealed class MapLayoutTests
{
    private const uint SO_REUSEPORT = 15;

    /// <summary>Each type as an empty map: how it is walked, and what the kernel says of its first key.</summary>
    [Theory]
    [InlineData(BpfMapType.Hash, 4, 5, ScanMethod.Buckets, MapValueKind.Raw, Errno.ENOENT)]
    [InlineData(BpfMapType.LruHash, 4, 5, ScanMethod.Buckets, MapValueKind.Raw, Errno.ENOENT)]
    [InlineData(BpfMapType.PerCpuHash, 4, 5, ScanMethod.Buckets, MapValueKind.PerCpu, Errno.ENOENT)]
    [InlineData(BpfMapType.LruPerCpuHash, 4, 5, ScanMethod.Buckets, MapValueKind.PerCpu, Errno.ENOENT)]
    [InlineData(BpfMapType.HashOfMaps, 4, 4, ScanMethod.Buckets, MapValueKind.MapId, Errno.ENOENT)]
    [InlineData(BpfMapType.Array, 4, 5, ScanMethod.BatchByIndex, MapValueKind.Raw, Errno.None)]
    [InlineData(BpfMapType.PerCpuArray, 4, 5, ScanMethod.BatchByIndex, MapValueKind.PerCpu, Errno.None)]
    [InlineData(BpfMapType.ArrayOfMaps, 4, 4, ScanMethod.BatchByIndex, MapValueKind.MapId, Errno.ENOENT)]
    [InlineData(BpfMapType.LpmTrie, 8, 5, ScanMethod.Trie, MapValueKind.Raw, Errno.ENOENT)]
    [InlineData(BpfMapType.ProgArray, 4, 4, ScanMethod.ElementByIndex, MapValueKind.ProgId, Errno.ENOENT)]
    [InlineData(BpfMapType.DevMap, 4, 4, ScanMethod.ElementByIndex, MapValueKind.DevMap, Errno.ENOENT)]
    [InlineData(BpfMapType.DevMap, 4, 8, ScanMethod.ElementByIndex, MapValueKind.DevMap, Errno.ENOENT)]
    [InlineData(BpfMapType.DevMapHash, 4, 4, ScanMethod.KeyWalk, MapValueKind.DevMap, Errno.ENOENT)]
    [InlineData(BpfMapType.CpuMap, 4, 4, ScanMethod.ElementByIndex, MapValueKind.CpuMap, Errno.ENOENT)]
    [InlineData(BpfMapType.StackTrace, 4, 80, ScanMethod.ElementByIndex, MapValueKind.Stack, Errno.ENOENT)]
    [InlineData(BpfMapType.SockMap, 4, 8, ScanMethod.ElementByIndex, MapValueKind.SocketCookie, Errno.ENOENT)]
    [InlineData(BpfMapType.SockHash, 4, 8, ScanMethod.KeyWalk, MapValueKind.SocketCookie, Errno.ENOENT)]
    [InlineData(BpfMapType.ReuseportSockArray, 4, 8, ScanMethod.ElementByIndex, MapValueKind.SocketCookie, Errno.ENOENT)]
    [InlineData(BpfMapType.CgroupStorage, 16, 8, ScanMethod.KeyWalk, MapValueKind.Raw, Errno.ENOENT)]
    [InlineData(BpfMapType.PerCpuCgroupStorage, 16, 5, ScanMethod.KeyWalk, MapValueKind.PerCpu, Errno.ENOENT)]
    [InlineData(BpfMapType.Queue, 0, 5, ScanMethod.Peek, MapValueKind.Raw, Errno.ENOENT)]
    [InlineData(BpfMapType.Stack, 0, 5, ScanMethod.Peek, MapValueKind.Raw, Errno.ENOENT)]
    [InlineData(BpfMapType.SockMap, 4, 4, ScanMethod.ElementByIndex, MapValueKind.Raw, Errno.ENOSPC)]
    [InlineData(BpfMapType.SockHash, 4, 4, ScanMethod.KeyWalk, MapValueKind.Raw, Errno.ENOSPC)]
    [InlineData(BpfMapType.ReuseportSockArray, 4, 4, ScanMethod.ElementByIndex, MapValueKind.Raw, Errno.ENOSPC)]
    [InlineData(BpfMapType.PerfEventArray, 4, 4, ScanMethod.ElementByIndex, MapValueKind.Raw, Errno.ENOTSUPP)]
    [InlineData(BpfMapType.CgroupArray, 4, 4, ScanMethod.ElementByIndex, MapValueKind.Raw, Errno.ENOTSUPP)]
    [InlineData(BpfMapType.XskMap, 4, 4, ScanMethod.ElementByIndex, MapValueKind.Raw, Errno.EOPNOTSUPP)]
    public void A_readable_type_is_laid_out_as_the_kernel_reads_it(
        BpfMapType type, uint keySize, uint valueSize, ScanMethod method, MapValueKind kind, Errno firstKey)
    {
        using WritableMap written = Create(type, keySize, valueSize);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        bool isRefused = firstKey is Errno.ENOSPC or Errno.ENOTSUPP or Errno.EOPNOTSUPP;

        Assert.Equal(method, map.Layout.Method);
        Assert.Equal(kind, map.Layout.ValueKind);
        Assert.Equal(isRefused ? firstKey : Errno.None, map.Layout.ValueError);
        Assert.Equal(isRefused ? 0 : (uint)written.ValueStride, map.Layout.ValueStride);
        Assert.Equal(firstKey, map.LookupElement(new byte[keySize], new byte[written.ValueStride]));
        if (method is ScanMethod.ElementByIndex or ScanMethod.BatchByIndex && type is not BpfMapType.StackTrace)
        {
            byte[] last = BitConverter.GetBytes(map.Layout.IndexCount - 1);
            Assert.Equal(Errno.ENOENT, map.GetNextKey(last, new byte[4]));
            Assert.Equal(firstKey, map.LookupElement(last, new byte[written.ValueStride]));
        }
    }

    [Theory]
    [InlineData(BpfMapType.BloomFilter, 0, 8, 4)]
    [InlineData(BpfMapType.RingBuf, 0, 0, 4096)]
    [InlineData(BpfMapType.UserRingBuf, 0, 0, 4096)]
    [InlineData(BpfMapType.Arena, 0, 0, 4)]
    public void A_type_without_entries_says_why_it_is_not_read(BpfMapType type, uint keySize, uint valueSize, uint maxEntries)
    {
        using WritableMap written = Create(type, keySize, valueSize, maxEntries);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);

        Assert.Equal(ScanMethod.None, map.Layout.Method);
        Assert.NotEmpty(map.Layout.Reason);
        Assert.Throws<InvalidOperationException>(() => map.LookupElement(new byte[keySize], new byte[valueSize]));
    }

    [Fact]
    public void A_type_newer_than_the_agent_is_not_read() =>
        Assert.Contains("1000", MapLayout.Of(Info((BpfMapType)1000), 2, supportsBatch: true).Reason, StringComparison.Ordinal);

    [Fact]
    public void A_large_array_value_on_many_cpus_is_no_per_cpu_value() => Assert.Equal(
        64u << 20,
        MapLayout.Of(Info(BpfMapType.Array) with { ValueSize = 64 << 20 }, 4096, supportsBatch: true).ValueStride);

    [Fact]
    public void Stack_traces_have_a_power_of_two_of_indexes() =>
        Assert.Equal(16u, MapLayout.Of(Info(BpfMapType.StackTrace) with { MaxEntries = 10 }, 2, supportsBatch: false).IndexCount);

    [Fact]
    public void Values_that_name_other_objects_hold_their_ids()
    {
        using WritableMap inner = Kernel.Filled(BpfMapType.Array, 1, 0);
        using WritableMap maps = WritableMap.Create(
            new() { Type = BpfMapType.ArrayOfMaps, KeySize = 4, ValueSize = 4, MaxEntries = 2, InnerMap = inner });
        maps.Update(Kernel.Key(1), inner.Handle);
        Assert.Equal(inner.Id, ReadUInt32(maps, 1));

        using ReturnZeroProgram program = ReturnZeroProgram.Load("fence_prog");
        using WritableMap programs = Create(BpfMapType.ProgArray, 4, 4);
        programs.Update(Kernel.Key(1), program.Handle);
        Assert.Equal(program.Id, ReadUInt32(programs, 1));

        using WritableMap devices = Create(BpfMapType.DevMap, 4, 4);
        devices.Update(Kernel.Key(1), BitConverter.GetBytes(1));
        Assert.Equal(1u, ReadUInt32(devices, 1));
    }

    [Fact]
    public void Sockets_are_given_by_their_cookie()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.SetRawSocketOption(1, (int)SO_REUSEPORT, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        byte[] cookie = new byte[8];
        socket.GetRawSocketOption(1, 57, cookie);

        using WritableMap sockets = Create(BpfMapType.ReuseportSockArray, 4, 8);
        sockets.Update(Kernel.Key(0), socket.SafeHandle);
        using IBpfMap map = Kernel.Source.OpenById(sockets.Id);
        byte[] value = new byte[8];

        Assert.Equal(Errno.None, map.LookupElement(Kernel.Key(0), value));
        Assert.Equal(cookie, value);
    }

    [Theory]
    [InlineData(BpfMapType.Queue, 1)]
    [InlineData(BpfMapType.Stack, 2)]
    public void A_peek_gives_the_next_value_and_leaves_it(BpfMapType type, byte next)
    {
        using WritableMap written = Create(type, 0, 1);
        written.Push([1]);
        written.Push([2]);
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        byte[] value = new byte[1];

        Assert.Equal(Errno.None, map.LookupElement([], value));
        Assert.Equal(Errno.None, map.LookupElement([], value));
        Assert.Equal(next, value[0]);
    }

    private static uint ReadUInt32(WritableMap written, int key)
    {
        using IBpfMap map = Kernel.Source.OpenById(written.Id);
        byte[] value = new byte[4];
        Assert.Equal(Errno.None, map.LookupElement(Kernel.Key(key), value));
        return BitConverter.ToUInt32(value);
    }

    private static WritableMap Create(BpfMapType type, uint keySize, uint valueSize, uint maxEntries = 2)
    {
        _ = Kernel.Source;
        bool isMapOfMaps = type is BpfMapType.ArrayOfMaps or BpfMapType.HashOfMaps;
        using WritableMap? inner = isMapOfMaps ? Kernel.Filled(BpfMapType.Array, 1, 0) : null;
        return WritableMap.Create(new()
        {
            Type = type,
            Name = "fence_layout",
            KeySize = keySize,
            ValueSize = valueSize,
            MaxEntries = type is BpfMapType.CgroupStorage or BpfMapType.PerCpuCgroupStorage ? 0 : maxEntries,
            Flags = type switch
            {
                BpfMapType.LpmTrie => MapFlags.BPF_F_NO_PREALLOC,
                BpfMapType.Arena => MapFlags.BPF_F_MMAPABLE,
                _ => 0,
            },
            InnerMap = inner,
        });
    }

    private static MapInfo Info(BpfMapType type) => new() { Id = 1, Type = type, KeySize = 4, ValueSize = 8, MaxEntries = 1 };
}
