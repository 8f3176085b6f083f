using System.Net;
using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.DemoMaps;

/// <summary><c>routes</c>: an LPM trie of IPv4 prefixes, with prefixes that lie within others.</summary>
internal sealed class RouteTable : IDisposable
{
    private const int PodSubnets = 64;

    private uint _flaps;

    internal RouteTable()
    {
        Map = CreateMap();
        Set("0.0.0.0/0", interfaceIndex: 2, nextHop: "192.0.2.1", metric: 100);
        Set("10.0.0.0/8", interfaceIndex: 3, nextHop: "10.255.0.1", metric: 50);
        Set("10.0.0.0/16", interfaceIndex: 4, nextHop: "10.0.255.1", metric: 20);
        Set("10.96.0.0/12", interfaceIndex: 5, nextHop: "10.96.0.1", metric: 10);
        Set("10.96.0.10/32", interfaceIndex: 1, nextHop: "127.0.0.1", metric: 1);
        Set("172.16.0.0/12", interfaceIndex: 3, nextHop: "10.255.0.2", metric: 60);
        Set("192.168.0.0/16", interfaceIndex: 3, nextHop: "10.255.0.3", metric: 60);
        for (int node = 0; node < PodSubnets; node++)
        {
            Set($"10.0.{node}.0/24", interfaceIndex: (uint)(10 + node), nextHop: $"10.0.255.{node + 2}", metric: 5);
        }
    }

    internal WritableMap Map { get; }

    /// <summary>The default route's metric changes.</summary>
    internal void Advance() =>
        Set("0.0.0.0/0", interfaceIndex: 2, nextHop: "192.0.2.1", metric: 100 + (++_flaps % 10));

    public void Dispose() => Map.Dispose();

    private void Set(string prefix, uint interfaceIndex, string nextHop, uint metric)
    {
        IPNetwork network = IPNetwork.Parse(prefix);
        RouteKey key = new() { PrefixLength = (uint)network.PrefixLength, Address = BigEndian(network.BaseAddress) };
        Route route = new() { InterfaceIndex = interfaceIndex, NextHop = BigEndian(IPAddress.Parse(nextHop)), Metric = metric };
        Map.Update(
            MemoryMarshal.AsBytes(new ReadOnlySpan<RouteKey>(in key)), MemoryMarshal.AsBytes(new ReadOnlySpan<Route>(in route)));
    }

    private static uint BigEndian(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        address.TryWriteBytes(bytes, out _);
        return MemoryMarshal.Read<uint>(bytes);
    }

    private static unsafe WritableMap CreateMap()
    {
        using BtfBuilder btf = new();
        CTypes c = new(btf);
        uint key = btf.Struct("route_key", ("prefixlen", c.U32), ("addr", c.Array(c.U8, 4)));
        uint value = btf.Struct("route", ("ifindex", c.U32), ("next_hop", c.Be32), ("metric", c.U32));
        using var loaded = btf.Load();
        return WritableMap.Create(new()
        {
            Type = BpfMapType.LpmTrie,
            Name = "routes",
            KeySize = (uint)sizeof(RouteKey),
            ValueSize = (uint)sizeof(Route),
            MaxEntries = 1024,
            Flags = MapFlags.BPF_F_NO_PREALLOC, // the kernel wants it of every lpm_trie
            Btf = loaded,
            BtfKeyTypeId = key,
            BtfValueTypeId = value,
        });
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct RouteKey
    {
        public uint PrefixLength;
        public uint Address;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Route
    {
        public uint InterfaceIndex;
        public uint NextHop;
        public uint Metric;
    }
}
